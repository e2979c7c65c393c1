/**
 * Failures in the language of the page. Contributor, engine and validator say what is wrong in English, each failure under a
 * name that does not change; those that a person is likely to meet are said here, the others as they came.
 */
import { i18n, type MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import { StorageError } from '../../client/ports.ts';

interface Words {
  readonly detail: MessageDescriptor;
  readonly remedy: MessageDescriptor;
}

/** By a problem's key or an error's name. */
const WORDS: Readonly<Record<string, Words>> = {
  NoBackendError: {
    detail: msg`This browser offers neither WebGPU nor WebAssembly, so nothing can be trained here. You can still watch the run.`,
    remedy: msg`Use a current Chrome, Edge, Firefox or Safari, or switch hardware acceleration on in the browser’s settings.`,
  },
  DoesNotFitError: {
    detail: msg`The model does not fit in the memory that this tab may take.`,
    remedy: msg`Raise the memory limit below, close other tabs that use the graphics card, or choose a run with a smaller model.`,
  },
  GpuMemoryError: {
    detail: msg`The graphics card has no room left for the model.`,
    remedy: msg`Close other tabs and programs that use the graphics card, or lower the memory limit below, then start again.`,
  },
  EngineError: {
    detail: msg`The graphics card failed or was taken away, again and again.`,
    remedy: msg`Close other tabs that use it, update the graphics driver, or open this page with ?backend=wasm to train on the processor.`,
  },
  TooSlowError: {
    detail: msg`A page takes longer here than a window lasts, so nothing can be delivered.`,
    remedy: msg`Let the device work more of the time, or choose a run with a smaller model or longer windows.`,
  },
  StorageQuotaError: {
    detail: msg`The browser has no room left for the model.`,
    remedy: msg`Free disk space, or clear what this site stores in Settings, then start again.`,
  },
  AlteredFileError: {
    detail: msg`A file of this page is not the one that the page was built with, so it was not run.`,
    remedy: msg`Reload the page; if it happens again, tell whoever runs this site.`,
  },
  StorageVersionError: {
    detail: msg`A newer version of this page has stored something in this browser that this one cannot read.`,
    remedy: msg`Reload the page to get the newer version. Where there is none, clear this site’s data in the browser’s settings; the keys in it are lost then.`,
  },
  StorageBlockedError: {
    detail: msg`Another tab of this site is still of an older version, and keeps the storage from being brought up to date.`,
    remedy: msg`Close the other tabs of this site, then start again.`,
  },
  ProgramTooOldError: {
    detail: msg`The validator’s run is of a newer protocol than this page speaks.`,
    remedy: msg`Reload the page to get the one that belongs to the validator.`,
  },
  ProgramTooNewError: {
    detail: msg`The validator’s run is of an older protocol than this page speaks.`,
    remedy: msg`Reload the page to get the one that belongs to the validator.`,
  },
  NotUnderstoodError: {
    detail: msg`The validator said something that this page does not know.`,
    remedy: msg`Reload the page to get the one that belongs to the validator.`,
  },
  'unsupported-protocol': {
    detail: msg`The validator’s run is of a protocol that this page does not speak.`,
    remedy: msg`Reload the page to get the one that belongs to the validator.`,
  },
  KeyError: {
    detail: msg`This browser cannot make or keep a key, so you cannot contribute from it.`,
    remedy: msg`Leave private browsing, or use a current browser over https.`,
  },
  ManifestError: {
    detail: msg`The run’s rules are not signed by its validator.`,
    remedy: msg`Do not contribute to this validator, and tell its operator.`,
  },
  'guests-not-allowed': {
    detail: msg`This run admits registered hotkeys only.`,
    remedy: msg`Connect a wallet whose hotkey is registered in this run.`,
  },
  'not-registered': {
    detail: msg`This hotkey is not registered on the run’s subnet.`,
    remedy: msg`Register the hotkey on the run’s subnet, or choose another account.`,
  },
  'delegation-not-yet-valid': {
    detail: msg`What your wallet signed begins in the future: is the clock of this machine right?`,
    remedy: msg`Set the clock to the right time, then connect the wallet again.`,
  },
};

export interface FailureInWords {
  readonly detail: string;
  readonly remedy: string;
  /** Set where the words are not in the language of the page. */
  readonly lang?: 'en';
}

/** @param code a problem's key, or an error's name */
export function failureInWords(failure: {
  readonly reason: string;
  readonly remedy: string;
  readonly code?: string | undefined;
}): FailureInWords {
  const words = failure.code === undefined ? undefined : WORDS[failure.code];
  if (words && Object.hasOwn(WORDS, failure.code!)) {
    return { detail: i18n._(words.detail), remedy: i18n._(words.remedy) };
  }
  return { detail: sentence(failure.reason), remedy: failure.remedy, lang: 'en' };
}

/** With a capital and a full stop, since reasons come from errors written either way. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const ended = /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return ended[0]!.toUpperCase() + ended.slice(1);
}

/** What an error says and, where it knows, what to do about it. */
export function withRemedy(error: Error): string {
  const words = error instanceof StorageError && Object.hasOwn(WORDS, error.name) ? WORDS[error.name] : undefined;
  if (words) return `${i18n._(words.detail)} ${i18n._(words.remedy)}`;
  const remedy = 'remedy' in error && typeof error.remedy === 'string' ? ` ${error.remedy}` : '';
  return `${sentence(error.message)}${remedy}`;
}
