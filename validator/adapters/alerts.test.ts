import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const promtool = (...args: string[]) => spawnSync('promtool', args, { cwd: DEPLOY, encoding: 'utf8' });
const available = promtool('--version').status === 0;
if (!available) console.log('skipped: no promtool is installed (Debian’s package prometheus has it)');

describe.skipIf(!available)('the alerts', () => {
  it('are what Prometheus reads', () => {
    const { status, stderr, stdout } = promtool('check', 'rules', 'alerts.yaml');
    expect(status, stderr + stdout).toBe(0);
  });

  it('fire when they should, and not when they should not', () => {
    const { status, stderr, stdout } = promtool('test', 'rules', 'alerts.test.yaml');
    expect(status, stderr + stdout).toBe(0);
  });
});
