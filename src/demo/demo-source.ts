/** The demonstration: a validator and simulated peers in a worker of this tab. No request leaves the page for it. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { DemoAttack, DemoCommand, DemoNews } from '../../workers/demo/demo-api.ts';
import demoWorker from '../../workers/demo/demo-worker.ts?worker&url';
import { nameDatabase } from '../../workers/shared/database.ts';
import { portFetch, PortEventSource } from '../../workers/shared/port-fetch.ts';
import { startWorker } from '../../workers/start-worker.ts';
import type { PeerLabel, PeerLabels, SourceBase } from '../client/source.ts';

/** Apart from the site's own, and deleted with the demonstration. */
const DATABASE = 'gauntlet-demo';

export interface DemoState {
  /** Attackers that take part. */
  readonly attacks: ReadonlySet<DemoAttack>;
  readonly paused: boolean;
  /** Why the worker gave up. */
  readonly failure: string | undefined;
}

export interface Demo {
  readonly store: StoreApi<DemoState>;
  switchAttack(attack: DemoAttack, on: boolean): void;
  setPaused(paused: boolean): void;
}

export interface DemoSource extends SourceBase {
  readonly kind: 'demo';
  readonly demo: Demo;
}

/** Starts the worker. What it is asked before it is ready is answered once it is. */
export function openDemo(): DemoSource {
  // A name of its own: the trainer's lock goes by it, and two demonstrations are two runs.
  const validatorUrl = `https://${crypto.randomUUID()}.demo.invalid/`;
  const worker = startWorker(demoWorker, 'demo');
  const send = (command: DemoCommand, transfer: Transferable[] = []): void => worker.postMessage(command, transfer);
  const connect = (): MessagePort => {
    const { port1, port2 } = new MessageChannel();
    send({ type: 'connect', port: port2 }, [port2]);
    return port1;
  };

  const labels = createStore<PeerLabels>(() => new Map());
  const store = createStore<DemoState>(() => ({ attacks: new Set(), paused: false, failure: undefined }));
  const fail = (failure: string): void => store.setState({ failure });
  worker.onerror = ({ message }) => fail(message || 'the demonstration’s worker could not be loaded');
  worker.onmessage = ({ data }: MessageEvent<DemoNews>) => {
    switch (data.type) {
      case 'peers':
        labels.setState(
          new Map(data.peers.map(({ hotkey, name, kind }): [string, PeerLabel] => [hotkey, { name, kind }])),
          true,
        );
        return;
      case 'failed': {
        fail(data.reason);
        return;
      }
    }
  };

  nameDatabase(DATABASE);
  indexedDB.deleteDatabase(DATABASE);
  window.addEventListener('pagehide', () => indexedDB.deleteDatabase(DATABASE));
  send({ type: 'open', files: new URL('demo/', document.baseURI).href, validatorUrl });

  return {
    kind: 'demo',
    validatorUrl,
    fetch: portFetch(connect()),
    createEventSource: () => new PortEventSource(connect()),
    labels,
    trainerOptions: () => ({ validatorPort: connect(), databaseName: DATABASE }),
    demo: {
      store,
      switchAttack(attack, on) {
        const attacks = new Set(store.getState().attacks);
        if (on) attacks.add(attack);
        else attacks.delete(attack);
        store.setState({ attacks });
        send({ type: 'switch', attack, on });
      },
      setPaused(paused) {
        store.setState({ paused });
        send({ type: 'pause', paused });
      },
    },
  };
}
