/** Each state of the contributor in words: the one place where they are written. */
import { i18n, type MessageDescriptor } from '@lingui/core';
import { msg, plural, t } from '@lingui/core/macro';
import type { ContributorStatus } from '../../client/events.ts';
import { failureInWords, sentence } from '../ui/failure-words.ts';
import { formatBytes, formatDayAndTime, formatDuration, formatInteger } from '../ui/format.ts';
import type { Hold } from './hold.ts';

export type Tone = 'idle' | 'busy' | 'waiting' | 'warning' | 'failed';

export interface Progress {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  readonly text: string;
}

interface Said {
  readonly headline: MessageDescriptor;
  readonly detail: MessageDescriptor;
}

export interface StatusDescription {
  readonly tone: Tone;
  readonly headline: string;
  readonly detail: string;
  readonly remedy?: string;
  /** Of detail and remedy, where they are not in the language of the page. */
  readonly lang?: 'en';
  readonly progress?: Progress;
}

const DOWNLOADS: Record<'checkpoint' | 'steps' | 'pages', Said> = {
  checkpoint: {
    headline: msg`Downloading the model`,
    detail: msg`Each piece is checked against its hash and kept in this browser: it is downloaded once.`,
  },
  steps: {
    headline: msg`Catching up`,
    detail: msg`Downloading the updates that were published since your last visit.`,
  },
  pages: { headline: msg`Fetching text`, detail: msg`Downloading the pages of text assigned to you for this window.` },
};

const WAITS: Record<'put' | 'judgement' | 'next-window' | 'first-window', Said> = {
  put: {
    headline: msg`Ready to upload`,
    detail: msg`Your update is packed. Uploads open for everybody at the same moment, so that nobody can copy in time.`,
  },
  judgement: {
    headline: msg`Delivered`,
    detail: msg`The validator is scoring this window’s contributions. The next window begins by itself.`,
  },
  'next-window': { headline: msg`Waiting for the next window`, detail: msg`It begins by itself.` },
  'first-window': {
    headline: msg`Waiting for the next window`,
    detail: msg`Too little of this window is left to train in. The next one begins by itself.`,
  },
};

const say = ({ headline, detail }: Said): Pick<StatusDescription, 'headline' | 'detail'> => ({
  headline: i18n._(headline),
  detail: i18n._(detail),
});

function transferProgress(label: string, bytes: number, totalBytes: number, secondsLeft: number | undefined): Progress {
  const [done, all] = [formatBytes(bytes), formatBytes(totalBytes)];
  const text =
    secondsLeft === undefined || bytes >= totalBytes
      ? t`${done} of ${all}`
      : t`${done} of ${all}, about ${formatDuration(secondsLeft)} left`;
  return { label, value: bytes, max: totalBytes, text };
}

/** @param secondsLeft of the present transfer, when known */
export function describeStatus(status: ContributorStatus, secondsLeft?: number): StatusDescription {
  switch (status.kind) {
    case 'idle':
      return {
        tone: 'idle',
        headline: t`Ready when you are`,
        detail: t`Nothing is downloaded or computed until you press Start. Stop whenever you like.`,
      };
    case 'connecting':
      return {
        tone: 'busy',
        headline: t`Joining the run`,
        detail: t`Checking the run’s signature and introducing your key.`,
      };
    case 'compiling':
      return {
        tone: 'busy',
        headline: t`Preparing your device`,
        detail: t`Compiling the model for it. The first time takes longest.`,
      };
    case 'downloading':
      return {
        tone: 'busy',
        ...say(DOWNLOADS[status.what]),
        progress: transferProgress(t`Download`, status.bytes, status.totalBytes, secondsLeft),
      };
    case 'verifying':
      return {
        tone: 'busy',
        headline: t`Verifying the model`,
        detail: t`Recomputing the fingerprint of all parameters for window ${formatInteger(status.window)}.`,
      };
    case 'training':
      return {
        tone: 'busy',
        headline: t`Training`,
        detail: t`Your device computes how the model should change to predict its pages better.`,
        progress: {
          label: t`Pages trained`,
          value: status.pagesDone,
          max: status.pagesAssigned,
          text: t`${formatInteger(status.pagesDone)} of up to ${formatInteger(status.pagesAssigned)} pages, ${formatDuration(status.secondsLeft)} left. As many as your device manages count.`,
        },
      };
    case 'paused':
      return {
        tone: 'waiting',
        headline: t`Paused`,
        detail: t`Your device rests. The run is in window ${formatInteger(status.window)}; press Resume to train again.`,
      };
    case 'compressing':
      return {
        tone: 'busy',
        headline: t`Packing your update`,
        detail: t`Keeping its strongest parts, a hundredth of its size.`,
      };
    case 'uploading':
      return {
        tone: 'busy',
        headline: t`Uploading`,
        detail: t`Sealed until uploads close.`,
        progress: transferProgress(t`Upload`, status.bytes, status.totalBytes, secondsLeft),
      };
    case 'waiting':
      return { tone: 'waiting', ...say(WAITS[status.waitingFor]) };
    case 'resyncing':
      return {
        tone: 'warning',
        headline: t`Getting back in step`,
        detail: t`${sentence(status.reason)} Starting again from a fresh checkpoint; nothing is needed from you.`,
      };
    case 'needs-signature':
      return {
        tone: 'warning',
        headline: t`Your signature is needed`,
        detail: t`${sentence(status.reason)} What was computed is kept: sign again and it is delivered, while uploads are open.`,
      };
    case 'retrying':
      return {
        tone: 'warning',
        headline: t`Trying again`,
        detail: t`${sentence(status.reason)} Next try in ${plural(Math.round(status.retryInSeconds), { one: '# second', other: '# seconds' })}; nothing is needed from you.`,
      };
    case 'stopping':
      return { tone: 'waiting', headline: t`Stopping`, detail: t`Freeing your device.` };
    case 'stopped':
      return {
        tone: 'idle',
        headline: t`Stopped`,
        detail: t`Nothing is running. What was downloaded stays in this browser, so starting again is quick.`,
      };
    case 'failed':
      return { tone: 'failed', headline: t`It cannot go on`, ...failureInWords(status) };
    default:
      return status satisfies never;
  }
}

/** Why a rule holds the device still; undefined when none does. */
export function holdInWords(hold: Hold | undefined): string | undefined {
  switch (hold?.kind) {
    case undefined:
      return undefined;
    case 'battery':
      return t`Your device runs on its battery, and you asked it to train only while plugged in. It goes on by itself then.`;
    case 'schedule':
      return hold.until === null
        ? t`You asked it to train only at certain hours, and chose no day. Choose one below.`
        : t`It is outside of the hours that you chose. It goes on by itself at ${formatDayAndTime(hold.until)}.`;
  }
}
