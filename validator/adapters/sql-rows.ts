/** Rows of the tables as what the rounds know, and back. */
import type { Insertable, Selectable } from 'kysely';
import type { SignedReceipt } from '../../core/protocol/api.ts';
import type { Figures } from '../../core/protocol/figures.ts';
import type { ContributionRow, OpenWindow, PeerRow, TicketRow } from '../rounds/store.ts';
import type { Tables } from './database.ts';

/** JSON of a column: what is in it was written by the store, so callers know its type. */
export const parse = (text: string): unknown => JSON.parse(text);

export function toOpenWindow(row: Selectable<Tables['windows']>): OpenWindow {
  return {
    window: row.window,
    opensAt: Number(row.opens_at),
    putOpensAt: Number(row.put_opens_at),
    putClosesAt: Number(row.put_closes_at),
    blocks:
      row.put_opens_block === null || row.put_closes_block === null
        ? null
        : { putOpens: row.put_opens_block, putCloses: row.put_closes_block },
    assignmentSeed: row.assignment_seed,
    beaconSecret: row.beacon_secret,
    beaconCommit: row.beacon_commit,
    stateRoot: row.state_root,
    judging: row.judging === 1,
  };
}

export function fromOpenWindow(window: OpenWindow): Insertable<Tables['windows']> {
  return {
    window: window.window,
    opens_at: window.opensAt,
    put_opens_at: window.putOpensAt,
    put_closes_at: window.putClosesAt,
    put_opens_block: window.blocks?.putOpens ?? null,
    put_closes_block: window.blocks?.putCloses ?? null,
    assignment_seed: window.assignmentSeed,
    beacon_secret: window.beaconSecret,
    beacon_commit: window.beaconCommit,
    state_root: window.stateRoot,
    judging: window.judging ? 1 : 0,
    record: null,
    summary: null,
  };
}

export function toPeer(row: Selectable<Tables['peers']>): PeerRow {
  return {
    hotkey: row.hotkey,
    uid: row.uid,
    firstWindow: row.first_window,
    sessionKey: row.session_key,
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    guest: row.guest === 1,
    origin: row.origin,
    accepted: row.accepted,
    rejected: row.rejected,
    evaluated: row.evaluated,
    aggregated: row.aggregated,
    figures: parse(row.figures) as Figures,
  };
}

export function toContribution(row: Selectable<Tables['contributions']>): ContributionRow {
  return {
    window: row.window,
    hotkey: row.hotkey,
    sha256: row.sha256,
    bytes: Number(row.bytes),
    arrivedAt: row.arrived_at,
    pagesTrained: row.pages_trained,
    sessionKey: row.session_key,
    receipt: parse(row.receipt) as SignedReceipt,
  };
}

export function toTicket(row: Selectable<Tables['tickets']>): TicketRow {
  const { id, window, hotkey, sha256, bytes, session_key: sessionKey } = row;
  return { id, window, hotkey, sha256, bytes: Number(bytes), sessionKey };
}
