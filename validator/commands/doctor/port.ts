/** Whether a validator can listen, or does already. */
import { createServer } from 'node:net';
import { createValidatorApi } from '../../../client/api.ts';
import { codeOf } from '../../adapters/error-code.ts';
import { failure, ok, type Finding } from './finding.ts';

async function tryListening(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    return undefined;
  } catch (error) {
    return codeOf(error) ?? 'unknown';
  } finally {
    server.close();
  }
}

async function runAt(host: string, port: number): Promise<string | undefined> {
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const api = createValidatorApi({ baseUrl: `http://${name}:${port}`, fetch });
  return api.run(AbortSignal.timeout(5_000)).then(({ run }) => run, () => undefined); // prettier-ignore
}

/** @param run that is expected there, if any is known */
export async function examinePort(host: string, port: number, run: string | undefined): Promise<Finding[]> {
  const code = await tryListening(host, port);
  if (code === undefined) return [ok('port', `${host}:${port} is free`)];
  if (code === 'EADDRNOTAVAIL') {
    return [failure('port', `this machine has no address ${host}`, 'Choose another with --host; 0.0.0.0 is all of them.')]; // prettier-ignore
  }
  if (code === 'EACCES') {
    return [failure('port', `this user may not listen on port ${port}`, 'Choose one above 1023, and let the proxy have the other.')]; // prettier-ignore
  }
  if (code !== 'EADDRINUSE') return [failure('port', `${host}:${port} cannot be listened on: ${code}`, 'Choose another with --host and --port.')]; // prettier-ignore
  const there = await runAt(host, port);
  if (there !== undefined && (run === undefined || there === run)) return [ok('port', `this run’s process answers at ${host}:${port}`)]; // prettier-ignore
  const who = there === undefined ? 'another program' : `a validator of another run (${there})`;
  return [failure('port', `${who} has ${host}:${port}`, 'Stop it, or choose another port with --port.')];
}
