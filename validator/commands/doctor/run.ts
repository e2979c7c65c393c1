/** The run itself: who signed it, whether windows go on, and whether its blobs are there. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { messageOf } from '../../../client/http.ts';
import { verifyManifest } from '../../../core/identity/manifest.ts';
import { memorySigner } from '../../../core/identity/signing.ts';
import type { SignedManifest } from '../../../core/protocol/manifest.ts';
import type { BlobRef } from '../../../core/protocol/primitives.ts';
import type { BlobStore } from '../../rounds/ports.ts';
import type { RunStore } from '../../rounds/store.ts';
import { duration } from '../status/view.ts';
import { failure, ok, warning, type Finding } from './finding.ts';

/** After a put phase; a judgement that takes longer is one that fails. */
const OVERDUE_MS = 5 * 60_000;
/** A window that opens later than now was opened by another clock. */
const CLOCK_SLACK_MS = 5_000;
const SHOWN = 3;

/** @param secret the validator's key, undefined when it cannot be read */
export function examineManifest(signed: SignedManifest, secret: Uint8Array | undefined): Finding[] {
  try {
    verifyManifest(signed);
  } catch (error) {
    return [failure('run', messageOf(error), 'Restore the record from a backup: nobody would take part in this run.')];
  }
  const { run, manifest } = signed;
  const mine = secret && bytesToHex(memorySigner(secret).publicKey);
  if (mine !== undefined && mine !== manifest.validator.publicKey) {
    return [failure('run', `the key is not the one of run ${run}`, 'Put that run’s own key in its place: it cannot go on with another.')]; // prettier-ignore
  }
  return [ok('run', `run ${run}, ${manifest.name}, is signed${mine === undefined ? '' : ' by this key'}`)];
}

/** @param driven whether a process is there that should drive them */
export async function examineWindows(
  store: Pick<RunStore, 'openWindow' | 'summaries'>,
  driven: boolean,
  now: number,
): Promise<Finding[]> {
  const open = await store.openWindow();
  const [newest] = await store.summaries(Math.max(1, open.window - 1), 1);
  const published = newest ? `window ${newest.window} is published` : 'no window is published yet';
  if (open.opensAt > now + CLOCK_SLACK_MS) {
    return [
      failure('windows', `window ${open.window} opened ${duration(open.opensAt - now)} from now`, 'This machine’s clock was set back, or another’s was ahead: set it right before the next start.'), // prettier-ignore
    ];
  }
  const overdue = now - open.putClosesAt;
  if (overdue <= OVERDUE_MS) return [ok('windows', `${published}, ${open.window} is open`)];
  const says = `${published}; ${open.window} should have been judged ${duration(overdue)} ago`;
  return [
    driven
      ? failure('windows', says, 'Its /readyz says why in a sentence, and its log has the error.')
      : warning('windows', `${says}, and no process drives`, 'Start it: gauntlet start.'),
  ];
}

/** Whether what the next start, and every newcomer, reads first is there. Whether it is whole, `gauntlet verify` says. */
export async function examineBlobs(
  { manifest }: SignedManifest,
  store: Pick<RunStore, 'checkpoint'>,
  blobs: Pick<BlobStore, 'size'>,
): Promise<Finding[]> {
  const { checkpoint, steps } = await store.checkpoint();
  const named: (readonly [what: string, ref: Pick<BlobRef, 'sha256'> & Partial<Pick<BlobRef, 'bytes'>>])[] = [
    ['the tokenizer', manifest.tokenizer],
    ['the page index', manifest.data.index],
    ...checkpoint.chunks.map((ref, i) => [`chunk ${i} of checkpoint ${checkpoint.window}`, ref] as const),
    ...steps.map((ref) => [`the outer step of window ${ref.window}`, ref] as const),
  ];
  const wrong: string[] = [];
  for (const [what, { sha256, bytes }] of named) {
    const size = await blobs.size(sha256);
    if (size === undefined) wrong.push(`${what} is missing (${sha256})`);
    else if (bytes !== undefined && size !== bytes) wrong.push(`${what} has ${size} bytes in place of ${bytes} (${sha256})`); // prettier-ignore
  }
  if (wrong.length === 0) return [ok('blobs', `all ${named.length} that a start needs are there`)];
  const rest = wrong.length - SHOWN;
  const says = [...wrong.slice(0, SHOWN), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
  return [failure('blobs', says, 'Put them back from a backup; gauntlet verify names everything that is wrong.')];
}
