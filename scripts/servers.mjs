/** The servers that tests of a run on several machines need: PostgreSQL, and a store that speaks S3. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

const WANTED = [
  { program: '/usr/lib/postgresql', packages: ['postgresql'] },
  {
    program: '/usr/bin/swift-proxy-server',
    packages: ['swift-proxy', 'swift-account', 'swift-container', 'swift-object'],
  },
];

async function apt(...args) {
  const [command, ...rest] = [...(process.getuid?.() === 0 ? [] : ['sudo', '-n']), 'apt-get', ...args];
  const child = spawn(command, rest, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  child.on('error', () => undefined);
  const [status] = await Promise.race([once(child, 'close'), once(child, 'error')]);
  return status === 0;
}

/**
 * Installs what is missing where the system's package manager can. What stays missing is skipped by its tests, each with a
 * line that says so.
 */
export async function ensureServers() {
  const missing = WANTED.filter(({ program }) => !existsSync(program)).flatMap(({ packages }) => packages);
  if (missing.length === 0 || !existsSync('/usr/bin/apt-get')) return;
  console.log(`Installing ${missing.join(', ')} for the tests of several machines …`);
  const install = () => apt('install', '-y', '-qq', '--no-install-recommends', ...missing);
  if (!(await install())) {
    await apt('update', '-qq');
    await install();
  }
}
