import { describe, expect, it } from 'vitest';
import { ChainError } from './errors.ts';
import { refusalOfModule, refusalOfSending } from './refusals.ts';

const ofModule = (name: string, docs: readonly string[] = []): ChainError =>
  refusalOfModule({ section: 'subtensorModule', name, docs });

describe('an error of the runtime', () => {
  it.each([
    ['NotEnoughStakeToSetWeights', /stake.*too low/i, /add stake/i],
    ['SettingWeightsTooFast', /too soon/i, /wait/i],
    ['CommittingWeightsTooFast', /too soon/i, /wait/i],
    ['CommitRevealEnabled', /have to be committed/i, /plan/i],
    ['HotKeyNotRegisteredInSubNet', /not registered/i, /register/i],
    ['NeuronNoValidatorPermit', /no validator permit/i, /stake/i],
    ['WeightVecNotEqualSize', /malformed/i, /plan/i],
    ['AccountNotAllowedCommit', /not registered/i, /register/i],
    ['TooManyFieldsInCommitmentInfo', /three fields/i, /short/i],
    ['SpaceLimitExceeded', /bytes/i, /wait/i],
  ])('%s is said in words, with a remedy', (name, message, remedy) => {
    const error = ofModule(name, ['the runtime’s own words']);
    expect(error).toBeInstanceOf(ChainError);
    expect(error.kind).toBe('refused');
    expect(error.message).toMatch(message);
    // The runtime's name is what can be searched for.
    expect(error.message).toContain(name);
    expect(error.message).not.toContain('own words');
    expect(error.remedy).toMatch(remedy);
  });

  it('that is not known keeps the runtime’s own text', () => {
    expect(ofModule('SomethingNew', [' The moon is', 'in the wrong phase.']).message).toMatch(
      /subtensorModule\.SomethingNew — The moon is in the wrong phase\./,
    );
    expect(ofModule('toString').message).toMatch(/subtensorModule\.toString$/);
  });
});

describe('a refusal by a node’s pool', () => {
  const custom = (n: number): string => `1010: Invalid Transaction: Custom error: ${n}`;

  it.each([
    [custom(1), /stake/i],
    [custom(2), /balance/i],
    [custom(3), /no such subnet/i],
    [custom(4), /does not know this hotkey/i],
    [custom(6), /too often/i],
    [custom(10), /not registered/i],
    [custom(11), /IP address/],
    [custom(13), /port/],
    [custom(255), /malformed/i],
    ['1010: Invalid Transaction: Transaction has a bad signature', /signature/i],
    ['1010: Invalid Transaction: Transaction is outdated', /another transaction meanwhile/i],
    ['1010: Invalid Transaction: Inability to pay some fees (e.g. account balance too low)', /balance/i],
    ['1014: Priority is too low: (1 vs 1)', /on its way/i],
    ['1012: Transaction is temporarily banned', /refused this very transaction/i],
    ['1013: Transaction Already Imported', /on its way/i],
  ])('%s', (text, words) => {
    const error = refusalOfSending(new Error(text));
    expect(error).toMatchObject({ kind: 'refused', message: expect.stringMatching(words) as unknown });
    expect(error.remedy).not.toBe('');
    expect((error.cause as Error).message).toBe(text);
  });

  it('that is not known keeps the node’s own text', () => {
    for (const text of [custom(77), '1016: Immediately Dropped']) {
      expect(refusalOfSending(new Error(text))).toMatchObject({
        kind: 'refused',
        message: expect.stringContaining(text) as unknown,
      });
    }
  });
});

describe('what else ends a sending', () => {
  it.each(['Cancelled', 'Rejected by user', 'User denied transaction', 'The wallet is locked'])(
    'nobody signed: %s',
    (text) => expect(refusalOfSending(new Error(text)).kind).toBe('not-signed'),
  );

  it('a broken connection is nobody’s refusal', () => {
    expect(refusalOfSending(new Error('WebSocket is not connected')).kind).toBe('unreachable');
    expect(refusalOfSending('disconnected from ws://127.0.0.1:9944: 1006:: Abnormal Closure').kind).toBe('unreachable');
  });

  it('an error in words stays as it is', () => {
    const error = new ChainError('unsupported', 'No.', 'Update.');
    expect(refusalOfSending(error)).toBe(error);
  });
});
