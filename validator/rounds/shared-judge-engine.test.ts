import { expect, it } from 'vitest';
import { nodeDigest } from '../adapters/run-folder.ts';
import { silentLog } from '../adapters/testing/test-run.ts';
import type { JudgeEngine, ModelState } from './ports.ts';
import { createSharedJudgeEngine, type LossJob } from './shared-judge-engine.ts';

const PAGE = new Uint8Array(8);
const HERE = [{ sum: 1, count: 1 }];
const ELSEWHERE = [{ sum: 2, count: 1 }];
const stateOf = (root: string): ModelState => ({ root, parameters: new Float32Array(1) });

/** Measures nothing: what counts is who is asked. */
function open(lanes: number, request: (job: LossJob) => Promise<typeof ELSEWHERE>): JudgeEngine {
  const local: Partial<JudgeEngine> = {
    lanes: 1,
    use: () => Promise.resolve(),
    losses: () => Promise.resolve(HERE),
    advance: () => Promise.resolve({ step: new Uint8Array(0), state: stateOf('after') }),
  };
  return createSharedJudgeEngine(
    'run',
    local as JudgeEngine,
    { lanes: () => lanes, request },
    { digest: nodeDigest, log: silentLog },
  );
}

it('asks evaluators for as much as they make at once, and measures the rest and what they fail at here', async () => {
  const roots: string[] = [];
  let fail = false;
  const engine = open(2, async ({ root }) => {
    roots.push(root);
    await Promise.resolve();
    if (fail) throw new Error('gone');
    return ELSEWHERE;
  });
  await engine.use(stateOf('before'));
  const three = await Promise.all([1, 2, 3].map(() => engine.losses([PAGE])));
  expect(three).toEqual([ELSEWHERE, ELSEWHERE, HERE]);
  fail = true;
  expect(await engine.losses([PAGE])).toEqual(HERE);
  expect(roots).toEqual(['before', 'before', 'before']);
});

it('asks nobody about parameters that are not published yet', async () => {
  const roots: string[] = [];
  const engine = open(2, ({ root }) => {
    roots.push(root);
    return Promise.resolve(ELSEWHERE);
  });
  await engine.use(stateOf('before'));
  await engine.advance(1, []);
  expect(await engine.losses([PAGE])).toEqual(HERE);
  expect(roots).toEqual([]);
  await engine.use(stateOf('after'));
  expect(await engine.losses([PAGE])).toEqual(ELSEWHERE);
  expect(roots).toEqual(['after']);
});
