import { beforeEach } from 'vitest';
import { describeRunStore } from '../../validator/adapters/testing/store-suite.ts';
import { createMemoryStore, emptyRecords, type MemoryRecords } from './memory-store.ts';

let records: MemoryRecords;
beforeEach(() => {
  records = emptyRecords();
});
describeRunStore('memory', () => Promise.resolve(createMemoryStore(records)));
