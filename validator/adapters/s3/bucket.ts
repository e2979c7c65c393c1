/** The few calls of the S3 protocol that a run needs, signed by aws4fetch, tried again while that may help. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient, AwsV4Signer } from 'aws4fetch';

/** The store did not do what was asked, or cannot be reached. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
}

export interface BucketAddress {
  /** http(s)://host[:port]/bucket[/prefix], as this process reaches it. */
  readonly url: string;
  /** The same as peers reach it, when that is another address. */
  readonly publicUrl?: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ObjectHead {
  readonly bytes: number;
  readonly etag: string;
  /** By the store's clock, to the second. Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

export interface ListedObject {
  readonly key: string;
  /** As above. */
  readonly modifiedAt: number;
}

export interface Bucket {
  head(key: string): Promise<ObjectHead | undefined>;
  /** @param range bytes [start, end) */
  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<Response | undefined>;
  /** @param sha256 of the bytes, in hex: the store refuses others */
  put(key: string, bytes: Uint8Array<ArrayBuffer>, sha256: string): Promise<void>;
  /** @returns false when there is nothing to copy */
  copy(from: string, to: string): Promise<boolean>;
  /** Harmless when there is none. */
  remove(key: string): Promise<void>;
  /** @param pageSize objects an answer; the store's by default */
  list(prefix: string, pageSize?: number): AsyncGenerator<ListedObject>;
  /** An address from which anybody may GET the object. */
  presignGet(key: string, seconds: number): Promise<string>;
  /** An address to which anybody may PUT bytes of this length and hash; the headers are to be sent with them. */
  presignPut(
    key: string,
    bytes: number,
    sha256: string,
    seconds: number,
  ): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }>;
}

const ATTEMPTS = 5;
const FIRST_RETRY_MS = 100;
const TIMEOUT_MS = 60_000;
const CONTENT_HASH = 'x-amz-content-sha256';
/** What a store says of a failure is XML, short, and quotes the request's signature beside the reason. */
const MAX_FAILURE_BYTES = 16_384;
/** A list of a thousand objects has some 300 KB. */
const MAX_LIST_BYTES = 8 * 2 ** 20;
const SHOWN_CHARACTERS = 300;

const base = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

const unescapeXml = (text: string): string =>
  text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ({ lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' })[name]!); // prettier-ignore

/** Values of an element in a store's answer: these hold no nested ones of the same name. */
function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, value]) => unescapeXml(value!));
}

/** @throws ObjectStoreError for an answer that goes on for longer */
async function boundedText(response: Response, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of response.body ?? []) {
    total += part.length;
    // Leaving the loop lets go of the connection.
    if (total > maxBytes) throw new ObjectStoreError(`the store answered more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** Why, in the store's words. */
const reasonIn = (xml: string): string =>
  [...elements(xml, 'Code'), ...elements(xml, 'Message')].join(': ').slice(0, SHOWN_CHARACTERS);

export function openBucket({ url, publicUrl, region, accessKeyId, secretAccessKey }: BucketAddress): Bucket {
  const credentials = { accessKeyId, secretAccessKey, service: 's3', region };
  const client = new AwsClient({ ...credentials, retries: 0 });
  const root = base(url);
  const bucketUrl = new URL(root);
  const [bucket = '', ...prefixParts] = bucketUrl.pathname.split('/').filter((part) => part !== '');
  if (bucket === '') throw new RangeError(`${url} names no bucket: http(s)://host/bucket is wanted`);
  const prefix = prefixParts.map((part) => `${part}/`).join('');

  async function send(method: string, address: string, init: RequestInit = {}): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      let failure: ObjectStoreError;
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        // An address of the operator's choice is asked, and none that the store may send us to.
        const response = await client.fetch(address, { ...init, method, signal, redirect: 'manual' });
        if (response.status < 500 && response.status !== 429) return response;
        failure = await refusal(method, address, response);
      } catch (cause) {
        failure = new ObjectStoreError(`the object store at ${new URL(address).host} cannot be reached`, { cause });
      }
      if (attempt === ATTEMPTS) throw failure;
      await sleep(FIRST_RETRY_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }

  async function refusal(method: string, address: string, response: Response): Promise<ObjectStoreError> {
    const xml = await boundedText(response, MAX_FAILURE_BYTES).catch(() => '');
    const reason =
      elements(xml, 'Code')[0] === 'RequestTimeTooSkewed'
        ? 'the clock of this machine and the store’s are too far apart; set the one that is wrong'
        : reasonIn(xml);
    const said = reason === '' ? '' : `: ${reason}`;
    return new ObjectStoreError(`${method} ${new URL(address).pathname} was answered ${response.status}${said}`);
  }

  /** @returns undefined when there is no such object. @throws ObjectStoreError for any other refusal */
  async function found(method: string, key: string, init: RequestInit = {}): Promise<Response | undefined> {
    const address = root + key;
    const response = await send(method, address, init);
    if (response.ok) return response;
    if (response.status !== 404) throw await refusal(method, address, response);
    await response.body?.cancel();
    return undefined;
  }

  function presign(
    method: 'GET' | 'PUT',
    key: string,
    seconds: number,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const address = new URL(base(publicUrl ?? url) + key);
    address.searchParams.set('X-Amz-Expires', String(seconds));
    const signer = new AwsV4Signer({ ...credentials, url: address.href, method, headers, signQuery: true, allHeaders: true }); // prettier-ignore
    return signer.sign().then((signed) => signed.url.href);
  }

  async function done(response: Response | undefined): Promise<void> {
    await response?.body?.cancel();
  }

  return {
    async head(key) {
      const response = await found('HEAD', key);
      if (!response) return undefined;
      const { headers } = response;
      return {
        bytes: Number(headers.get('content-length')),
        etag: headers.get('etag') ?? '',
        modifiedAt: Date.parse(headers.get('last-modified') ?? ''),
      };
    },
    get: (key, range) =>
      found('GET', key, range ? { headers: { range: `bytes=${range.start}-${range.end - 1}` } } : {}),
    async put(key, body, sha256) {
      const address = root + key;
      const response = await send('PUT', address, { body, headers: { [CONTENT_HASH]: sha256 } });
      if (!response.ok) throw await refusal('PUT', address, response);
      await done(response);
    },
    async copy(from, to) {
      const source = `/${bucket}/${prefix}${from}`;
      const response = await found('PUT', to, { headers: { 'x-amz-copy-source': source } });
      if (!response) return false;
      // A copy that fails on its way is answered 200 and says so in its body.
      const said = await boundedText(response, MAX_FAILURE_BYTES);
      if (!said.includes('CopyObjectResult')) throw new ObjectStoreError(`copying ${from}: ${reasonIn(said)}`);
      return true;
    },
    async remove(key) {
      await done(await found('DELETE', key));
    },
    async *list(below, pageSize) {
      for (let token: string | undefined; ;) {
        const address = new URL(`${bucketUrl.origin}/${bucket}`);
        address.searchParams.set('list-type', '2');
        address.searchParams.set('prefix', prefix + below);
        if (pageSize !== undefined) address.searchParams.set('max-keys', String(pageSize));
        if (token !== undefined) address.searchParams.set('continuation-token', token);
        const response = await send('GET', address.href);
        if (!response.ok) throw await refusal('GET', address.href, response);
        const xml = await boundedText(response, MAX_LIST_BYTES);
        const times = elements(xml, 'LastModified');
        for (const [i, key] of elements(xml, 'Key').entries()) {
          yield { key: key.slice(prefix.length), modifiedAt: Date.parse(times[i] ?? '') };
        }
        [token] = elements(xml, 'NextContinuationToken');
        if (elements(xml, 'IsTruncated')[0] !== 'true' || token === undefined) return;
      }
    },
    presignGet: (key, seconds) => presign('GET', key, seconds),
    async presignPut(key, bytes, sha256, seconds) {
      // Not the header of signed requests: stores do not agree on what it means beside a signature in the address.
      const headers = { 'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64') };
      // A browser sets the length by itself; signed, it cannot be another.
      return { url: await presign('PUT', key, seconds, { ...headers, 'content-length': String(bytes) }), headers };
    },
  };
}
