import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadRuntime, type Runtime } from './runtime.ts';
import { Storage } from './storage.ts';

let runtime: Runtime;
beforeAll(async () => (runtime = await loadRuntime()));

const keys = ['0x00', '0x01', '0x0102', '0x02'];
const write = fc.record({ key: fc.constantFrom(...keys), value: fc.option(fc.constantFrom('0xaa', '0xbb', '0xcc')) });
/** Blocks of transactions; some fail after their writes. */
const history = fc.array(fc.array(fc.record({ writes: fc.array(write, { maxLength: 4 }), fails: fc.boolean() })), {
  maxLength: 8,
});

describe('storage', () => {
  it('tells of every block what a map copied after each of them tells', () => {
    fc.assert(
      fc.property(history, (blocks) => {
        const storage = new Storage(runtime);
        const copies = [new Map<string, string>()];
        for (const [i, transactions] of blocks.entries()) {
          storage.block = i + 1;
          storage.forgetJournal();
          const now = new Map(copies[i]);
          for (const { writes, fails } of transactions) {
            const attempt = (): void =>
              storage.transact(() => {
                for (const { key, value } of writes) storage.setRaw(key, value);
                if (fails) throw new Error('refused');
              });
            if (fails) expect(attempt).toThrow('refused');
            else attempt();
            if (fails) continue;
            for (const { key, value } of writes) {
              if (value === null) now.delete(key);
              else now.set(key, value);
            }
          }
          copies.push(now);
        }
        for (const [block, copy] of copies.entries()) {
          for (const key of keys) expect(storage.raw(key, block)).toBe(copy.get(key) ?? null);
          expect(storage.keys('0x01', block)).toEqual([...copy.keys()].filter((key) => key.startsWith('0x01')).sort());
        }
      }),
    );
  });

  it('reads the runtime’s own default where nothing is stored', () => {
    const storage = new Storage(runtime);
    expect(storage.number('subtensorModule', 'weightsSetRateLimit', 3)).toBe(100);
    storage.set('subtensorModule', 'weightsSetRateLimit', [3], 7);
    expect(storage.number('subtensorModule', 'weightsSetRateLimit', 3)).toBe(7);
    expect(storage.number('subtensorModule', 'weightsSetRateLimit', 4)).toBe(100);
  });
});
