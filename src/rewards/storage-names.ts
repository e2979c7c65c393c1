/** Where a Subtensor runtime keeps a figure (spec 425), for saying which one a runtime lacks. */
export const STORAGE = {
  stake: 'TotalHotkeyAlpha',
  lastUpdate: 'LastUpdate',
  registeredAt: 'BlockAtRegistration',
  immunityPeriod: 'ImmunityPeriod',
  maxNeurons: 'MaxAllowedUids',
  burn: 'Burn',
  alphaPrice: 'SwapRuntimeApi.current_alpha_price',
} as const;
