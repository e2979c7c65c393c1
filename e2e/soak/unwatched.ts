/**
 * `npx tsx e2e/soak/unwatched.ts [windows]`: the memory of a tab that trains in a Chromium to which nobody listens. Playwright
 * follows the network, for which a browser keeps the bodies of answers; here its instruments are attached for the moment of a
 * measurement alone. Prints a line for each.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { startValidator, withFolder, TABS_ALONE } from '../app/running-validator.ts';
import { CHROMIUM } from '../chromium.ts';
import { browserProcesses, ownBytes } from './processes.ts';

const RUN = ['--preset', 'micro', '--window', '2', ...TABS_ALONE];
const EVERY = 25;
/** From here on it is on its own. */
const START = `(() => {
  if (document.querySelector('[data-testid="stop"]')) return true;
  document.querySelector('[data-testid="start"]:not(:disabled)')?.click();
  return false;
})()`;

interface Instruments {
  readonly ask: <T>(method: string, parameters?: object, sessionId?: string) => Promise<T>;
}

/** The browser's own protocol over a pair of pipes: messages end with a zero byte. */
function instrumentsOf(into: Writable, from: Readable): Instruments {
  const answers = new Map<number, (result: unknown) => void>();
  let id = 0;
  let rest = '';
  from.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop()!;
    for (const message of messages) {
      const answer = JSON.parse(message) as { id?: number; result?: unknown };
      if (answer.id !== undefined) answers.get(answer.id)?.(answer.result);
    }
  });
  return {
    ask: <T>(method: string, params: object = {}, sessionId?: string) =>
      new Promise<T>((resolve) => {
        answers.set(++id, (result) => resolve(result as T));
        into.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
      }),
  };
}

/** Does something with the instruments of the page, which are taken away again. */
async function attached<T>({ ask }: Instruments, work: (sessionId: string) => Promise<T>): Promise<T> {
  const { targetInfos } = await ask<{ targetInfos: { type: string; targetId: string }[] }>('Target.getTargets');
  const page = targetInfos.find(({ type }) => type === 'page')!;
  const { sessionId } = await ask<{ sessionId: string }>('Target.attachToTarget', { targetId: page.targetId, flatten: true }); // prettier-ignore
  try {
    return await work(sessionId);
  } finally {
    await ask('Target.detachFromTarget', { sessionId });
  }
}

const windows = Number(process.argv[2] ?? 300);
await withFolder(async (folder) => {
  const validator = await startValidator(join(folder, 'run'), RUN);
  const args = [...CHROMIUM.args!, '--remote-debugging-pipe', `--user-data-dir=${join(folder, 'profile')}`];
  const browser = spawn(
    CHROMIUM.executablePath ?? '/usr/bin/chromium',
    [...args, `${validator.url}/?backend=wasm&throttle=40`],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const [, , , into, from] = browser.stdio;
  const instruments = instrumentsOf(into as Writable, from as Readable);
  const evaluate = (sessionId: string, expression: string): Promise<{ result?: { value?: unknown } }> =>
    instruments.ask('Runtime.evaluate', { expression, returnByValue: true }, sessionId);
  try {
    do await sleep(2_000);
    while ((await attached(instruments, (session) => evaluate(session, START))).result?.value !== true);
    console.log('window  delivered  heap of the page  renderers');
    for (let next = EVERY; next <= windows; next += EVERY) {
      while ((await validator.api.clock()).window < next) await sleep(500);
      const usedSize = await attached(instruments, async (session) => {
        await instruments.ask('HeapProfiler.collectGarbage', {}, session);
        return (await instruments.ask<{ usedSize: number }>('Runtime.getHeapUsage', {}, session)).usedSize;
      });
      const renderers = (await browserProcesses()).filter(({ type }) => type === 'renderer');
      const own = await Promise.all(renderers.map(({ pid }) => ownBytes(pid)));
      const [first] = (await validator.api.leaderboard()).peers;
      const accepted = first && (await validator.api.peer(first.hotkey)).contributions.accepted;
      const bytes = own.reduce((sum, each) => sum + each, 0);
      console.log([next, accepted ?? 0, usedSize, bytes].map((n) => String(n).padStart(10)).join(' '));
    }
  } finally {
    browser.kill();
    await once(browser, 'exit');
    await validator.interrupt();
  }
});
