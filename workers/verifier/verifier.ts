/** The verifier worker: the audit that `gauntlet audit` makes, on this device and the page's own source of data. */
import { expose } from 'comlink';
import { webDigest } from '../../client/api.ts';
import { messageOf } from '../../client/http.ts';
import { chooseBackend } from '../../engine/capability.ts';
import { createHostEvaluator } from '../../engine/host-engine.ts';
import { wasmRuntime } from '../../engine/wasm-runtime.ts';
import { auditWindow, openAudit } from '../../validator/audit/audit.ts';
import { createAuditSource } from '../../validator/audit/source.ts';
import { createLocalJudgeEngine } from '../../validator/rounds/local-judge-engine.ts';
import type { JudgeEngineFactory } from '../../validator/rounds/ports.ts';
import { portFetch } from '../shared/port-fetch.ts';
import type { VerifierApi, VerifierEvent } from './verifier-api.ts';
import { holdLife } from '../shared/life.ts';

let events: MessagePort | undefined;

function emit(event: VerifierEvent): void {
  events?.postMessage(event);
}

/** The processor: what is compared are losses within a tolerance, and a graphics card is busy training. */
const createJudgeEngine: JudgeEngineFactory = (run) =>
  createLocalJudgeEngine(run, {
    createEvaluator: async (shape) =>
      createHostEvaluator(await wasmRuntime(await chooseBackend({ force: 'wasm' })), shape),
    digest: webDigest,
  });

const api: VerifierApi = {
  connect(port, life) {
    events?.close();
    events = port;
    return holdLife(life);
  },
  async verify({ validatorUrl, validatorPort, window }) {
    const started = performance.now();
    const fetchFrom: typeof fetch = validatorPort ? portFetch(validatorPort) : (input, init) => fetch(input, init);
    try {
      emit({ type: 'progress', what: 'the run' });
      const source = createAuditSource(validatorUrl, fetchFrom);
      const context = await openAudit(source);
      const findings = auditWindow(context, source, window, {
        createJudgeEngine,
        digest: webDigest,
        losses: true,
        onProgress: (what) => emit({ type: 'progress', what }),
      });
      for await (const finding of findings) emit({ type: 'finding', finding });
      return { ended: true, seconds: (performance.now() - started) / 1_000 };
    } catch (error) {
      return { ended: false, reason: messageOf(error) };
    }
  },
};

expose(api);
