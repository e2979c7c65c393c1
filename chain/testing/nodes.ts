/** Nodes that the chain's tests run on: the emulator, and a real Subtensor runtime under chopsticks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Keyring, WsProvider } from '@polkadot/api';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import { startEmulator } from './emulator/emulator.ts';

/** Makes a block for each transaction; //Alice has TAO and the sudo key. */
export interface TestNode {
  /** ws:// URL */
  readonly endpoint: string;
  /** Makes blocks and resolves when the last of them is final. */
  newBlocks(count: number): Promise<void>;
  close(): Promise<void>;
}

export const startEmulatorNode = async (): Promise<TestNode> => {
  const emulator = await startEmulator();
  return {
    endpoint: emulator.endpoint,
    newBlocks: (count) => {
      emulator.jump(count);
      return Promise.resolve();
    },
    close: () => emulator.close(),
  };
};

const CHOPSTICKS = fileURLToPath(
  new URL('chopsticks/node_modules/@acala-network/chopsticks/chopsticks.cjs', import.meta.url),
);
const LISTENING = /RPC listening on .*:(\d+)/;
const ENDOWMENT = '1000000000000000';

/** @param spec path of a raw chain spec with a runtime in it */
export const startChopsticksNode = async (spec: string): Promise<TestNode> => {
  const arguments_ = [CHOPSTICKS, '--chain-spec', spec, '--port', '0', '--build-block-mode', 'Instant'];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`chopsticks ended with ${String(code)} before it listened`)));
    createInterface(child.stdout).on('line', (line) => {
      const match = LISTENING.exec(line);
      if (match !== null) resolve(match[1]!);
    });
  });
  const endpoint = `ws://127.0.0.1:${port}`;
  const control = new WsProvider(endpoint);
  await Promise.all([control.isReady, cryptoWaitReady()]);
  // What a chain starts with belongs to whoever launched it.
  const alice = new Keyring({ type: 'sr25519' }).addFromUri('//Alice').address;
  const account = [[alice], { providers: 1, data: { free: ENDOWMENT } }];
  await control.send('dev_setStorage', [{ Sudo: { Key: alice }, System: { Account: [account] } }]);
  return {
    endpoint,
    newBlocks: async (count) => {
      if (count > 0) await control.send('dev_newBlock', [{ count }]);
    },
    close: async () => {
      await control.disconnect();
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
};

/** A way to a node that can be cut: for a client an endpoint of its own. */
export interface CuttableEndpoint {
  readonly endpoint: string;
  /** Ends every connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export const cuttable = async (node: TestNode): Promise<CuttableEndpoint> => {
  const sockets = new Set<Socket>();
  let refusing = false;
  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(new URL(node.endpoint).port), '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy()).on('close', () => sockets.delete(from) && to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    refusing = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    endpoint: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => (refusing = false),
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
};
