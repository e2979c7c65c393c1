/** How Chromium is started wherever a test or a benchmark needs one. */
import type { LaunchOptions } from '@playwright/test';

/**
 * Without `--enable-unsafe-webgpu` a machine without a GPU has no adapter at all; with it there is a software one, which
 * computes the same. The other flags keep a closed network quiet.
 */
const ARGS = [
  '--headless=new',
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const CHROMIUM: LaunchOptions = {
  // Playwright's own `headless: true` starts a shell without WebGPU.
  headless: false,
  args: ARGS,
  ...(process.env['CHROMIUM_PATH'] ? { executablePath: process.env['CHROMIUM_PATH'] } : {}),
};
