/** Where and of what a run was made, as a report names it. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, release, type } from 'node:os';
import type { BenchReport } from './report.ts';

export function describeMachine(): BenchReport['machine'] {
  return {
    processor: cpus()[0]?.model.trim() ?? 'processor',
    threads: availableParallelism(),
    system: `${type()} ${release()}`,
  };
}

/** Null outside of a checkout. */
export function currentCommit(): string | null {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
