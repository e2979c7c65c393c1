/** The object store: every call that a run makes of it, and those that a browser makes. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { messageOf } from '../../../client/http.ts';
import { codeOf } from '../../adapters/error-code.ts';
import { ObjectStoreError, openBucket, type Bucket, type BucketAddress } from '../../adapters/s3/bucket.ts';
import { readingOf, type ClockReading } from './clock.ts';
import { failure, ok, warning, type Finding } from './finding.ts';

export interface StoreLook {
  readonly findings: Finding[];
  readonly clock?: ClockReading;
}

const CHECK = 'store';
const TIMEOUT_MS = 5_000;
const PROBE_BYTES = 1_024;
const PERMIT_SECONDS = 60;
const HASH_HEADER = 'x-amz-checksum-sha256';

/** By what a store says in its XML, or the system of the connection. */
const MENDS: readonly (readonly [RegExp, string])[] = [
  [/SignatureDoesNotMatch/, 'AWS_SECRET_ACCESS_KEY is not that key’s, or AWS_REGION is another than the bucket’s.'],
  [/InvalidAccessKeyId/, 'The store does not know AWS_ACCESS_KEY_ID: correct it.'],
  [/NoSuchBucket/, 'Make the bucket, or correct its name in BLOBS_URL.'],
  [/RequestTimeTooSkewed/, 'This machine’s clock and the store’s are too far apart: set both by NTP.'],
  [/AuthorizationHeaderMalformed|PermanentRedirect/, 'Set AWS_REGION to the bucket’s region, and BLOBS_URL to its address.'], // prettier-ignore
  [/AccessDenied| 403/, 'Give the key leave to get, put, delete and list objects of the bucket.'],
  [/ECONNREFUSED/, 'Start the store, or correct host and port in BLOBS_URL.'],
  [/ENOTFOUND/, 'Correct the host in BLOBS_URL, or the name server.'],
];

const mendOf = (text: string): string =>
  MENDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'Look at BLOBS_URL, at the network, and at the store’s log.';

const firstCode = (xml: string): string => /<Code>([A-Za-z]+)<\/Code>/.exec(xml)?.[1] ?? '';

function said(error: unknown): string {
  const text = messageOf(error);
  const code = firstCode(text);
  const head = text.split(':')[0]!;
  return code === '' ? text : `${head}: ${code}`;
}

const ask = (url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });

async function status(url: string, init: RequestInit = {}): Promise<number> {
  const response = await ask(url, init);
  await response.body?.cancel();
  return response.status;
}

/** Every call of ours, one after the other. @throws ObjectStoreError */
async function exercise(
  bucket: Bucket,
  key: string,
  bytes: Uint8Array<ArrayBuffer>,
  sha256: string,
): Promise<string[]> {
  const wrong: string[] = [];
  await bucket.put(key, bytes, sha256);
  const head = await bucket.head(key);
  if (head?.bytes !== bytes.length) wrong.push('HEAD does not tell the length of what was put');
  const got = await bucket.get(key);
  const read = got && new Uint8Array(await got.arrayBuffer());
  if (!read || Buffer.compare(read, bytes) !== 0) wrong.push('GET does not answer what was put');
  if (!(await bucket.copy(key, `${key}-copy`))) wrong.push('COPY does not find what was put');
  const listed: string[] = [];
  for await (const entry of bucket.list('doctor/')) listed.push(entry.key);
  if (!listed.includes(key)) wrong.push('LIST does not show what was put');
  return wrong;
}

/** As a browser asks before it sends, and what it then looks for. @param origin of the page */
async function preflight(url: string, method: string, headers: string, origin: string): Promise<string | undefined> {
  const response = await ask(url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': method, ...(headers === '' ? {} : { 'access-control-request-headers': headers }) }, // prettier-ignore
  });
  await response.body?.cancel();
  const allows = (name: string, wanted: string): boolean => {
    const given = (response.headers.get(name) ?? '').split(',').map((each) => each.trim().toLowerCase());
    return wanted === '' || given.includes('*') || given.includes(wanted.toLowerCase());
  };
  if (!response.ok) return `a browser’s question before ${method} is answered ${response.status}`;
  if (!allows('access-control-allow-origin', origin)) return `pages of ${origin} are not allowed`;
  if (!allows('access-control-allow-methods', method)) return `${method} is not allowed to pages`;
  if (!allows('access-control-allow-headers', headers)) return `the header ${headers} is not allowed to pages`;
  return undefined;
}

/** What tabs do: PUT to a signed address, GET from one, after asking whether they may. */
async function asBrowser(bucket: Bucket, key: string, origin: string): Promise<Finding[]> {
  const bytes = new Uint8Array(randomBytes(PROBE_BYTES));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const put = await bucket.presignPut(key, bytes.length, sha256, PERMIT_SECONDS);
  const get = await bucket.presignGet(key, PERMIT_SECONDS);
  const findings: Finding[] = [];
  const signed = { method: 'PUT', body: bytes, headers: { ...put.headers, origin } };
  const forged = await status(put.url.replace(/(X-Amz-Signature=)[0-9a-f]{4}/, '$10000'), signed);
  if (forged < 400) {
    findings.push(failure(CHECK, 'it takes uploads under a wrong signature', 'Anybody could write there: let it check signatures, or use another store.')); // prettier-ignore
  }
  const taken = await status(put.url, signed);
  if (taken >= 400) {
    findings.push(failure(CHECK, `an upload to a signed address is answered ${taken}`, 'BLOBS_PUBLIC_URL has to lead to the same bucket, through nothing that changes host or path.')); // prettier-ignore
    return findings;
  }
  const wrong = await preflight(put.url, 'PUT', HASH_HEADER, origin);
  const answer = await ask(get, { headers: { origin } });
  await answer.body?.cancel();
  const readable = [origin, '*'].includes(answer.headers.get('access-control-allow-origin') ?? '');
  const problem = wrong ?? (readable ? undefined : `pages of ${origin} may not read its answers`);
  findings.push(
    problem === undefined
      ? ok('cors', `pages of ${origin} may upload and download`)
      : failure('cors', problem, `Let the bucket’s CORS rules allow GET, HEAD and PUT from ${origin}, with the header ${HASH_HEADER}. Another page? Name it with --origin.`), // prettier-ignore
  );
  return findings;
}

/** @param origin of the page, for the CORS rules */
export async function examineStore(address: BucketAddress, origin: string, now: () => number): Promise<StoreLook> {
  const key = `doctor/${randomUUID()}`;
  const plainUrl = `${address.url.replace(/\/$/, '')}/${key}`;
  let clock: ClockReading | undefined;
  try {
    // Once and briefly, before what is tried again patiently.
    const began = now();
    const first = await ask(plainUrl);
    const date = Date.parse(first.headers.get('date') ?? '');
    // Cut to the second: half of one is added, and may be wrong by as much.
    if (!Number.isNaN(date)) clock = readingOf('the store’s clock', date + 500, began, now(), 500);
    await first.body?.cancel();
  } catch (error) {
    const { host } = new URL(address.url);
    const code = codeOf(error) ?? messageOf(error);
    return { findings: [failure(CHECK, `${host} cannot be reached: ${code}`, mendOf(code))] };
  }
  const bucket = openBucket(address);
  const bytes = new Uint8Array(randomBytes(PROBE_BYTES));
  const findings: Finding[] = [];
  try {
    const wrong = await exercise(bucket, key, bytes, createHash('sha256').update(bytes).digest('hex'));
    for (const each of wrong) findings.push(failure(CHECK, each, 'This is no store that a run can be kept in.'));
    if ((await status(plainUrl)) < 400) {
      findings.push(failure(CHECK, 'anybody can read what is in it', 'Make the bucket private: uploads that are not published lie there.')); // prettier-ignore
    }
    findings.push(...(await asBrowser(bucket, `${key}-upload`, origin)));
  } catch (error) {
    findings.push(failure(CHECK, said(error), mendOf(`${messageOf(error)} ${codeOf(error) ?? ''}`)));
    if (!(error instanceof ObjectStoreError)) return { findings, ...(clock ? { clock } : {}) };
  }
  findings.push(...(await tidy(bucket, key, findings)));
  return { findings, ...(clock ? { clock } : {}) };
}

/** Takes the probes away, which is a check of its own where everything else went well. */
async function tidy(bucket: Bucket, key: string, before: readonly Finding[]): Promise<Finding[]> {
  const failed = before.some(({ result }) => result === 'failure');
  try {
    for (const each of [key, `${key}-copy`, `${key}-upload`]) await bucket.remove(each);
    if (!failed && (await bucket.head(key))) return [failure(CHECK, 'DELETE leaves what it deletes', 'This is no store that a run can be kept in.')]; // prettier-ignore
  } catch (error) {
    if (failed) return [];
    return [warning(CHECK, said(error), 'Let the key delete objects: what is uploaded and not accepted stays otherwise.')]; // prettier-ignore
  }
  return failed ? [] : [ok(CHECK, 'it takes, gives, copies, lists and deletes, and checks signatures')];
}
