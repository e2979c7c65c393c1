/** One compiled graph for all who train or evaluate the same one: the parameters come with each batch. */
import type { InferenceSession } from 'onnxruntime-web';
import type { Runtime } from '../../engine/host-engine.ts';
import { inTurn } from '../../engine/in-turn.ts';

/**
 * A runtime whose sessions are shared by graph and compute one batch at a time, with the event loop let go on in between:
 * a batch keeps its thread, and the validator answers from the same one.
 */
export function shareSessions(runtime: Runtime, nextTask: () => Promise<void> = createNextTask()): Runtime {
  const sessions = new Map<string, Promise<InferenceSession>>();
  const compute = inTurn(async (work: () => Promise<InferenceSession.ReturnType>) => {
    const result = await work();
    await nextTask();
    return result;
  });

  function shared(session: InferenceSession): InferenceSession {
    // What is overridden is all that an engine calls.
    return Object.assign(Object.create(session) as InferenceSession, {
      run: (feeds: InferenceSession.FeedsType) => compute(() => session.run(feeds)),
      // Others may have need of it still; it goes with its thread.
      release: () => Promise.resolve(),
    });
  }

  return {
    ...runtime,
    createSession(model) {
      const graph = model.reduce((text, byte) => text + String.fromCharCode(byte), '');
      const known = sessions.get(graph) ?? runtime.createSession(model);
      sessions.set(graph, known);
      return known.then(shared);
    },
  };
}

/** Resolves in a task of its own, after those that wait; timers would take 4 ms each. */
function createNextTask(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}
