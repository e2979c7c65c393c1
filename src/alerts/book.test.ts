import { describe, expect, it } from 'vitest';
import type { Reading } from './alerts.ts';
import { createAlertBook, type AlertBook } from './book.ts';

const at = (place: number): Reading => ({
  subject: 'finney 3 5F',
  name: 'uid 7',
  at: 'block 100',
  rank: null,
  ranked: 0,
  missed: null,
  delegationExpiresAt: null,
  chain: { registered: true, risk: { kind: 'exposed', place } },
});

function memory(): Pick<Storage, 'getItem' | 'setItem'> {
  const values = new Map<string, string>();
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => void values.set(key, value) };
}

function openBook(storage: Pick<Storage, 'getItem' | 'setItem'> | undefined): { book: AlertBook; told: string[] } {
  const told: string[] = [];
  return { book: createAlertBook({ storage, tell: ({ id }) => told.push(id), now: () => 0 }), told };
}

const shown = ({ store }: AlertBook): string[] =>
  store
    .getState()
    .filter(({ dismissed }) => !dismissed)
    .map(({ text }) => text);

describe('alert book', () => {
  it('tells an event once, also after a reload, and shows it until it is dismissed', () => {
    const storage = memory();
    const { book, told } = openBook(storage);
    book.note(at(2));
    book.note(at(2));
    expect(told).toHaveLength(1);
    expect(shown(book)).toHaveLength(1);

    const reloaded = openBook(storage);
    reloaded.book.note(at(2));
    expect(reloaded.told).toEqual([]);
    expect(shown(reloaded.book)).toHaveLength(1);
    reloaded.book.dismiss(reloaded.book.store.getState()[0]!.id);
    expect(shown(reloaded.book)).toEqual([]);

    const again = openBook(storage);
    again.book.note(at(2));
    expect(again.told).toEqual([]);
    expect(shown(again.book)).toEqual([]);
  });

  it('keeps the words up to date without telling again', () => {
    const { book, told } = openBook(memory());
    book.note(at(2));
    book.note(at(1));
    expect(told).toHaveLength(1);
    expect(shown(book)[0]).toContain('this one goes with the next');
  });

  it('takes down what is over, and tells of it when it comes back', () => {
    const { book, told } = openBook(memory());
    book.note(at(1));
    book.note(at(100));
    expect(shown(book)).toEqual([]);
    book.note(at(1));
    expect(told).toHaveLength(2);
  });

  it('works where nothing can be remembered, and with what it cannot read', () => {
    for (const storage of [undefined, { ...memory(), getItem: () => '{"not": "alerts"}' }]) {
      const { book, told } = openBook(storage);
      book.note(at(1));
      expect(told).toHaveLength(1);
      expect(shown(book)).toHaveLength(1);
    }
  });
});
