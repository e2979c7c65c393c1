/** What commands that run until they are stopped have in common. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { createLog } from '../adapters/log.ts';
import { UsageError } from './usage-error.ts';

const APP = fileURLToPath(new URL('../../dist', import.meta.url));
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What a person reads is on standard output; the log is for operators who ask for it. */
export function logLevel(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Parameters<typeof createLog>[0] {
  const wanted = environment['GAUNTLET_LOG'] ?? 'warn';
  const level = LOG_LEVELS.find((known) => known === wanted);
  if (!level) throw new UsageError(`GAUNTLET_LOG is one of ${LOG_LEVELS.join(', ')}`);
  return level;
}

/** The built app, where there is one. */
export const builtApp = (): { staticDir?: string } => (existsSync(join(APP, 'index.html')) ? { staticDir: APP } : {});

/** Resolves with the first signal to stop; call it before telling anybody that the process is there. */
export async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
