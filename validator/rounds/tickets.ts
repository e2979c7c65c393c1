/** Permissions to upload, kept in memory: after a restart a peer asks for a new one. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { TicketRequest } from '../../core/protocol/api.ts';

export interface LiveTicket {
  readonly id: string;
  readonly window: number;
  readonly hotkey: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly sessionKey: string;
}

export interface TicketBook {
  /** The peer's ticket of that window: the same one for the same content, a new one in its place for other content. */
  issue(ticket: TicketRequest['ticket'], sessionKey: string): LiveTicket;
  find(id: string): LiveTicket | undefined;
  /** Forgets tickets of windows before `window`. */
  forgetBefore(window: number): void;
}

const ID_BYTES = 32;

export function createTicketBook(): TicketBook {
  const byId = new Map<string, LiveTicket>();
  const byPeer = new Map<string, LiveTicket>();
  return {
    issue({ window, hotkey, sha256, bytes }, sessionKey) {
      const key = `${window} ${hotkey}`;
      const old = byPeer.get(key);
      if (old) {
        if (old.sha256 === sha256 && old.bytes === bytes && old.sessionKey === sessionKey) return old;
        byId.delete(old.id);
      }
      const ticket: LiveTicket = {
        id: bytesToHex(crypto.getRandomValues(new Uint8Array(ID_BYTES))),
        window,
        hotkey,
        sha256,
        bytes,
        sessionKey,
      };
      byPeer.set(key, ticket);
      byId.set(ticket.id, ticket);
      return ticket;
    },
    find: (id) => byId.get(id),
    forgetBefore(window) {
      for (const [key, ticket] of byPeer) {
        if (ticket.window >= window) continue;
        byPeer.delete(key);
        byId.delete(ticket.id);
      }
    },
  };
}
