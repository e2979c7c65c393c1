/** Each state of the contributor in words: the one place where they are written. */
import type { ContributorStatus } from '../../client/events.ts';
import { formatBytes, formatDuration, formatInteger, plural } from '../ui/format.ts';

export type Tone = 'idle' | 'busy' | 'waiting' | 'warning' | 'failed';

export interface Progress {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  readonly text: string;
}

export interface StatusDescription {
  readonly tone: Tone;
  readonly headline: string;
  readonly detail: string;
  readonly remedy?: string;
  readonly progress?: Progress;
}

const DOWNLOADS: Record<'checkpoint' | 'steps' | 'pages', { readonly headline: string; readonly detail: string }> = {
  checkpoint: {
    headline: 'Downloading the model',
    detail: 'Each piece is checked against its hash and kept in this browser: it is downloaded once.',
  },
  steps: { headline: 'Catching up', detail: 'Downloading the updates that were published since your last visit.' },
  pages: { headline: 'Fetching text', detail: 'Downloading the pages of text assigned to you for this window.' },
};

const WAITS: Record<
  'put' | 'judgement' | 'next-window' | 'first-window',
  { readonly headline: string; readonly detail: string }
> = {
  put: {
    headline: 'Ready to upload',
    detail: 'Your update is packed. Uploads open for everybody at the same moment, so that nobody can copy in time.',
  },
  judgement: {
    headline: 'Delivered',
    detail: 'The validator is scoring this window’s contributions. The next window begins by itself.',
  },
  'next-window': { headline: 'Waiting for the next window', detail: 'It begins by itself.' },
  'first-window': {
    headline: 'Waiting for the next window',
    detail: 'Too little of this window is left to train in. The next one begins by itself.',
  },
};

function transferProgress(label: string, bytes: number, totalBytes: number, secondsLeft: number | undefined): Progress {
  const eta = secondsLeft === undefined || bytes >= totalBytes ? '' : `, about ${formatDuration(secondsLeft)} left`;
  return { label, value: bytes, max: totalBytes, text: `${formatBytes(bytes)} of ${formatBytes(totalBytes)}${eta}` };
}

/** @param secondsLeft of the present transfer, when known */
export function describeStatus(status: ContributorStatus, secondsLeft?: number): StatusDescription {
  switch (status.kind) {
    case 'idle':
      return {
        tone: 'idle',
        headline: 'Ready when you are',
        detail: 'Nothing is downloaded or computed until you press Start. Stop whenever you like.',
      };
    case 'connecting':
      return {
        tone: 'busy',
        headline: 'Joining the run',
        detail: 'Checking the run’s signature and introducing your key.',
      };
    case 'compiling':
      return {
        tone: 'busy',
        headline: 'Preparing your device',
        detail: 'Compiling the model for it. The first time takes longest.',
      };
    case 'downloading':
      return {
        tone: 'busy',
        ...DOWNLOADS[status.what],
        progress: transferProgress('Download', status.bytes, status.totalBytes, secondsLeft),
      };
    case 'verifying':
      return {
        tone: 'busy',
        headline: 'Verifying the model',
        detail: `Recomputing the fingerprint of all parameters for window ${formatInteger(status.window)}.`,
      };
    case 'training':
      return {
        tone: 'busy',
        headline: 'Training',
        detail: 'Your device computes how the model should change to predict its pages better.',
        progress: {
          label: 'Pages trained',
          value: status.pagesDone,
          max: status.pagesAssigned,
          text: `${formatInteger(status.pagesDone)} of up to ${formatInteger(status.pagesAssigned)} pages, ${formatDuration(status.secondsLeft)} left. As many as your device manages count.`,
        },
      };
    case 'paused':
      return {
        tone: 'waiting',
        headline: 'Paused',
        detail: `Your device rests. The run is in window ${formatInteger(status.window)}; press Resume to train again.`,
      };
    case 'compressing':
      return {
        tone: 'busy',
        headline: 'Packing your update',
        detail: 'Keeping its strongest parts, a hundredth of its size.',
      };
    case 'uploading':
      return {
        tone: 'busy',
        headline: 'Uploading',
        detail: 'Sealed until uploads close.',
        progress: transferProgress('Upload', status.bytes, status.totalBytes, secondsLeft),
      };
    case 'waiting':
      return { tone: 'waiting', ...WAITS[status.waitingFor] };
    case 'resyncing':
      return {
        tone: 'warning',
        headline: 'Getting back in step',
        detail: `${sentence(status.reason)} Starting again from a fresh checkpoint; nothing is needed from you.`,
      };
    case 'needs-signature':
      return {
        tone: 'warning',
        headline: 'Your signature is needed',
        detail: `${sentence(status.reason)} What was computed is kept: sign again and it is delivered, while uploads are open.`,
      };
    case 'retrying':
      return {
        tone: 'warning',
        headline: 'Trying again',
        detail: `${sentence(status.reason)} Next try in ${plural(Math.round(status.retryInSeconds), 'second')}; nothing is needed from you.`,
      };
    case 'stopping':
      return { tone: 'waiting', headline: 'Stopping', detail: 'Freeing your device.' };
    case 'stopped':
      return {
        tone: 'idle',
        headline: 'Stopped',
        detail: 'Nothing is running. What was downloaded stays in this browser, so starting again is quick.',
      };
    case 'failed':
      return { tone: 'failed', headline: 'It cannot go on', detail: sentence(status.reason), remedy: status.remedy };
    default:
      return status satisfies never;
  }
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
  const remedy = 'remedy' in error && typeof error.remedy === 'string' ? ` ${error.remedy}` : '';
  return `${sentence(error.message)}${remedy}`;
}
