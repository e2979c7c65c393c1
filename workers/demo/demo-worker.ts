/** The demonstration's worker: the validator and the simulated peers on one thread, away from the page's. */
import { messageOf } from '../../client/http.ts';
import { wasmRuntime } from '../../engine/wasm-runtime.ts';
import { portFetch } from '../shared/port-fetch.ts';
import type { DemoCommand, DemoNews } from './demo-api.ts';
import { openDemoRun } from './demo-run.ts';
import { servePort, type PortService } from './serve-port.ts';
import { shareSessions } from './shared-runtime.ts';
import { startSimulatedPeers, type SimulatedPeers } from './simulated-peers.ts';

let opened: (options: Extract<DemoCommand, { type: 'open' }>) => void;
const opening = new Promise<Extract<DemoCommand, { type: 'open' }>>((resolve) => (opened = resolve));

function say(news: DemoNews): void {
  self.postMessage(news);
}

async function open(): Promise<{ service: PortService; peers: SimulatedPeers }> {
  const { files, validatorUrl } = await opening;
  const wasm = await wasmRuntime(
    {
      backend: 'wasm',
      device: 'WASM, 1 thread',
      software: false,
      reasons: ['Simulated peers share one thread of this tab.'],
    },
    // The other processors are left to the page and to whoever trains in it; a model this small gains nothing by more.
    1,
  );
  const runtime = shareSessions(wasm);
  const run = await openDemoRun(files, runtime);
  // As for everyone else: what a peer sends is a request with a length and a body of its own.
  const { port1, port2 } = new MessageChannel();
  servePort(port2, Promise.resolve(run));
  const peers = startSimulatedPeers({
    validatorUrl,
    blobs: run.blobs,
    runtime,
    fetch: portFetch(port1),
    onChange: (list) => say({ type: 'peers', peers: list }),
  });
  run.rounds.start();
  return { service: run, peers };
}

const demo = open();
const service = demo.then((result) => result.service);
demo.catch((error: unknown) => say({ type: 'failed', reason: messageOf(error) }));

function receive(command: DemoCommand): void {
  switch (command.type) {
    case 'open':
      opened(command);
      return;
    case 'connect':
      servePort(command.port, service);
      return;
    case 'switch':
      void demo.then(({ peers }) => peers.switchAttack(command.attack, command.on));
      return;
    case 'pause':
      void demo.then(({ peers }) => peers.setPaused(command.paused));
      return;
  }
}

self.onmessage = ({ data }: MessageEvent<DemoCommand>) => receive(data);
