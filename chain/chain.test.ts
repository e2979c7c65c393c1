/** The adapter on the emulator, and on a real Subtensor runtime where a chain spec with one is given. */
import { describe, it } from 'vitest';
import { startChopsticksNode, startEmulatorNode } from './testing/nodes.ts';
import { chainSuite } from './testing/suite.ts';

const spec = process.env.GAUNTLET_CHAIN_SPEC;

chainSuite('on the emulator', startEmulatorNode);

if (spec !== undefined && spec !== '') chainSuite('on a real runtime', () => startChopsticksNode(spec));
else {
  const how =
    'npm install --prefix chain/testing/chopsticks --ignore-scripts, then GAUNTLET_CHAIN_SPEC=raw.json npx vitest run chain/chain.test.ts';
  console.info(`Not on a real Subtensor runtime; to do so: ${how}`);
  describe('on a real runtime', () => it.skip(how));
}
