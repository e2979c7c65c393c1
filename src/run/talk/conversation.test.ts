import { describe, expect, it } from 'vitest';
import { expose } from 'comlink';
import type { TalkerApi, TalkerEvent, TalkOptions, TalkResult } from '../../../workers/talker/talker-api.ts';
import { createConversation, type Conversation } from './conversation.ts';

const OPTIONS: TalkOptions = {
  validatorUrl: 'http://v.invalid/',
  prompt: 'Once',
  maxTokens: 3,
  temperature: 0,
  seed: 's',
};

/** A worker in this thread that says what a test has it say. */
function scripted(talk: (emit: (event: TalkerEvent) => void) => Promise<TalkResult>): {
  conversation: Conversation;
  spawned: () => number;
  stopped: () => number;
} {
  let [spawned, stopped] = [0, 0];
  const conversation = createConversation(() => {
    spawned++;
    const { port1, port2 } = new MessageChannel();
    let events: MessagePort | undefined;
    const api: TalkerApi = {
      connect(port) {
        events = port;
        return Promise.resolve(false);
      },
      talk: () => talk((event) => events?.postMessage(event)),
      stop() {
        stopped++;
      },
    };
    expose(api, port2);
    port1.start();
    return Object.assign(port1, { terminate: () => port1.close() });
  });
  return { conversation, spawned: () => spawned, stopped: () => stopped };
}

const until = async ({ store }: Conversation, kind: string): Promise<void> => {
  await expect.poll(() => store.getState().kind, { interval: 5 }).toBe(kind);
};

describe('a conversation', () => {
  it('shows the download, who speaks, the text as it comes and how fast; the next one has the same worker', async () => {
    const { conversation, spawned } = scripted((emit) => {
      emit({ type: 'progress', bytes: 5, totalBytes: 10 });
      emit({ type: 'model', window: 7 });
      for (const text of [' upon', ' a']) emit({ type: 'text', text });
      return new Promise((resolve) => setTimeout(() => resolve({ ended: true, tokens: 2, seconds: 0.5 }), 30));
    });
    for (let turn = 0; turn < 2; turn++) {
      conversation.start(OPTIONS);
      expect(conversation.store.getState()).toMatchObject({ kind: 'loading', prompt: 'Once', text: '' });
      await until(conversation, 'done');
      expect(conversation.store.getState()).toMatchObject({ text: ' upon a', window: 7, tokensPerSecond: 4 });
    }
    expect(spawned()).toBe(1);
  });

  it('says why there was no answer, and tries with a fresh worker next time', async () => {
    const { conversation, spawned } = scripted(() => Promise.resolve({ ended: false, reason: 'no answer' }));
    for (let turn = 0; turn < 2; turn++) {
      conversation.start(OPTIONS);
      await until(conversation, 'failed');
      expect(conversation.store.getState().reason).toBe('no answer');
    }
    expect(spawned()).toBe(2);
  });

  it('passes on the word to stop', async () => {
    const { conversation, stopped } = scripted(
      () => new Promise((resolve) => setTimeout(() => resolve({ ended: true, tokens: 0, seconds: 0 }), 50)),
    );
    conversation.start(OPTIONS);
    conversation.stop();
    await until(conversation, 'done');
    expect(stopped()).toBe(1);
    expect(conversation.store.getState().tokensPerSecond).toBeUndefined();
  });
});
