/** `gauntlet presets`: what each model size asks of a contributor. */
import { describePresets, presetRows } from '../../engine/preset-table.ts';

export function presetsCommand({ json }: { readonly json?: boolean }): void {
  const rows = presetRows();
  console.log(json ? JSON.stringify(rows, undefined, 2) : describePresets(rows));
}
