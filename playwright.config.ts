import { defineConfig } from '@playwright/test';

const HARNESS_PORT = 5187;

/**
 * Real Chromium with real WebGPU. Without `--enable-unsafe-webgpu` a machine without a GPU has no adapter at all; with
 * it there is a software one, which computes the same. The other flags keep a closed network quiet.
 */
const CHROMIUM_ARGS = [
  '--headless=new',
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // Software WebGPU takes every core there is: one browser at a time.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  timeout: 180_000,
  reporter: 'list',
  use: {
    baseURL: `http://127.0.0.1:${HARNESS_PORT}`,
    // Playwright's own `headless: true` starts a shell without WebGPU.
    headless: false,
    launchOptions: {
      args: CHROMIUM_ARGS,
      ...(process.env.CHROMIUM_PATH ? { executablePath: process.env.CHROMIUM_PATH } : {}),
    },
    trace: 'retain-on-failure',
  },
  webServer: {
    command: `npx --no-install vite --host 127.0.0.1 --port ${HARNESS_PORT} --strictPort`,
    url: `http://127.0.0.1:${HARNESS_PORT}`,
    reuseExistingServer: false,
    timeout: 60_000,
  },
});
