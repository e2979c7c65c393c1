/**
 * Who is calling, on a socket. What a proxy says of whom it forwards is believed from proxies that the operator named,
 * and of these alone: `X-Forwarded-For` from right to left, until the first that is none of them. `Forwarded` is not
 * read: most proxies write the one and pass the other on as a stranger wrote it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import ipaddr from 'ipaddr.js';
import type { Caller } from '../http/caller.ts';

/** A setting of who may do what that cannot be understood. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Of a chain of proxies more are not looked at. */
const MAX_HOPS = 16;
const IPV6_NETWORK_PARTS = 4;
/** Any of them says that somebody else is behind the socket. */
const FORWARDING = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
const MIN_TOKEN_LENGTH = 16;

/** An address in one form: IPv4 in IPv6 is IPv4, zones are dropped. */
function parseAddress(text: string): Address | undefined {
  const plain = text.trim();
  if (!ipaddr.isValid(plain) || (!plain.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(plain))) return undefined;
  return ipaddr.process(plain);
}

/** @param text addresses and networks, separated by commas. @throws AccessError */
export function parseNetworks(text: string): Network[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const whole = part.includes('/') ? part : `${part}/${part.includes(':') ? 128 : 32}`;
      if (!ipaddr.isValidCIDR(whole)) {
        throw new AccessError(`trusted proxies: "${part}" is no address and no network such as 10.0.0.0/8`);
      }
      return ipaddr.parseCIDR(whole);
    });
}

const isIn = (address: Address, networks: readonly Network[]): boolean =>
  networks.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));

/** An IPv6 caller has a network of 64 bits to choose from, so that is one caller. */
function keyOf(address: Address): string {
  if (address.kind() === 'ipv4') return address.toString();
  return `${(address as ipaddr.IPv6).parts.slice(0, IPV6_NETWORK_PARTS).map((part) => part.toString(16)).join(':')}::/64`; // prettier-ignore
}

/** @param proxies whose word on whom they forward is taken */
export function createCallers(proxies: readonly Network[]): (c: Context) => Caller {
  function behind(socket: Address, forwardedFor: string | undefined): Address {
    let caller = socket;
    for (const hop of (forwardedFor ?? '').split(',').reverse().slice(0, MAX_HOPS)) {
      if (!isIn(caller, proxies)) break;
      const next = parseAddress(hop);
      // A proxy that says nothing of use is the caller itself.
      if (!next) break;
      caller = next;
    }
    return caller;
  }

  return (c) => {
    const socket = parseAddress(getConnInfo(c).remote.address ?? '');
    if (!socket) return { address: 'unknown', local: false };
    const local =
      socket.range() === 'loopback' &&
      LOCAL_HOST.test(c.req.header('host') ?? '') &&
      FORWARDING.every((name) => c.req.header(name) === undefined);
    return { address: keyOf(behind(socket, c.req.header('x-forwarded-for'))), local };
  };
}

/** @throws AccessError for a file that holds no secret worth the name */
export async function readToken(path: string): Promise<string> {
  const token = (await readFile(path, 'utf8')).trim();
  if (!/^[\x21-\x7e]+$/.test(token) || token.length < MIN_TOKEN_LENGTH) {
    throw new AccessError(
      `${path}: an operator’s token is one line of at least ${MIN_TOKEN_LENGTH} printable characters`,
    );
  }
  return token;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Whether the operator asks: with the token where there is one, otherwise from this very machine, unless there are proxies
 * to hide behind. A page of another site in the operator's browser is on this machine, too, and is turned away.
 */
export function createOperatorCheck(
  callerOf: (c: Context) => Caller,
  { token, proxied }: { readonly token: string | undefined; readonly proxied: boolean },
): (c: Context) => boolean {
  const wanted = token === undefined ? undefined : digest(token);
  return (c) => {
    if (wanted) {
      const [, given = ''] = /^Bearer ([\x21-\x7e]+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
      return timingSafeEqual(digest(given), wanted);
    }
    if (proxied) return false;
    const site = c.req.header('sec-fetch-site') ?? 'none';
    return callerOf(c).local && c.req.header('origin') === undefined && (site === 'none' || site === 'same-origin');
  };
}
