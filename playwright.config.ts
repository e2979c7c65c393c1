import { defineConfig } from '@playwright/test';
import { CHROMIUM } from './e2e/chromium.ts';

const HARNESS_PORT = Number(process.env['HARNESS_PORT'] ?? 5187);

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // Software WebGPU takes every core there is: one browser at a time.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env['CI']),
  timeout: 180_000,
  reporter: 'list',
  use: {
    baseURL: `http://127.0.0.1:${HARNESS_PORT}`,
    headless: false,
    launchOptions: CHROMIUM,
    trace: 'retain-on-failure',
  },
  webServer: {
    command: `npx --no-install vite --host 127.0.0.1 --port ${HARNESS_PORT} --strictPort`,
    url: `http://127.0.0.1:${HARNESS_PORT}`,
    reuseExistingServer: false,
    timeout: 60_000,
  },
});
