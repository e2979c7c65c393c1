/** The JSON routes: each with the schemas that validate it and that its documentation is made of. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  CheckpointSchema,
  ClockSchema,
  JoinRequestSchema,
  LeaderboardSchema,
  PeerSchema,
  RefusalsSchema,
  RevocationRequestSchema,
  SamplesSchema,
  SignedReceiptSchema,
  TicketRequestSchema,
  TicketSchema,
  WindowRecordSchema,
  WindowSummarySchema,
} from '../../core/protocol/api.ts';
import { SignedBookSchema } from '../../core/protocol/book.ts';
import { ChainRecordsSchema, ChainStateSchema } from '../../core/protocol/chain.ts';
import { SignedManifestSchema } from '../../core/protocol/manifest.ts';
import { HotkeySchema, WindowSchema } from '../../core/protocol/primitives.ts';
import { PROBLEMS, ProblemSchema, type ProblemKey } from '../../core/protocol/problem.ts';
import { problemText } from './problems.ts';

export const MAX_JSON_BYTES = 64 * 1024;
export const MAX_WINDOWS = 1_000;
const MAX_CHAIN_RECORDS = 500;

const json = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

/** The refusals of a route by status, with their types. */
function problems(
  ...keys: ProblemKey[]
): Record<number, { description: string; content: { 'application/problem+json': { schema: typeof ProblemSchema } } }> {
  const byStatus = new Map<number, ProblemKey[]>();
  for (const key of keys) {
    const { status } = PROBLEMS[key];
    byStatus.set(status, [...(byStatus.get(status) ?? []), key]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, sameStatus]) => [
      status,
      {
        description: sameStatus.map(problemText).join('. '),
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
  );
}

const windowParameter = z.object({ window: z.coerce.number().pipe(WindowSchema) });
const body = <T extends z.ZodType>(schema: T) => ({ required: true, content: { 'application/json': { schema } } });

export const runRoute = createRoute({
  method: 'get',
  path: '/v1/run',
  summary: 'The signed manifest of the run',
  responses: { 200: json(SignedManifestSchema, 'The manifest, its hash and its signature') },
});

export const clockRoute = createRoute({
  method: 'get',
  path: '/v1/clock',
  summary: 'The current window, its phase and deadlines, and the time they are measured by',
  responses: { 200: json(ClockSchema, 'The clock') },
});

export const checkpointRoute = createRoute({
  method: 'get',
  path: '/v1/checkpoints/latest',
  summary: 'The newest checkpoint and the outer steps published since',
  responses: { 200: json(CheckpointSchema, 'Blobs to fetch, in order') },
});

export const joinRoute = createRoute({
  method: 'post',
  path: '/v1/peers',
  summary: 'Join the run: a hotkey delegates to a session key',
  request: { body: body(JoinRequestSchema) },
  responses: {
    200: json(PeerSchema, 'The peer'),
    ...problems(
      'malformed-request',
      'unsupported-protocol',
      'wrong-run',
      'wrong-signature',
      'wrong-address',
      'delegation-expired',
      'delegation-not-yet-valid',
      'delegation-too-long',
      'delegation-replaced',
      'delegation-revoked',
      'not-the-owner',
      'not-registered',
      'no-chain',
      'chain-unavailable',
      'guests-not-allowed',
      'too-large',
      'too-many-requests',
    ),
  },
});

export const revokeRoute = createRoute({
  method: 'post',
  path: '/v1/peers/{hotkey}/revocation',
  summary: 'Take a session key out of force, with every delegation until then',
  request: { params: z.object({ hotkey: HotkeySchema }), body: body(RevocationRequestSchema) },
  responses: {
    200: json(PeerSchema, 'The peer'),
    ...problems(
      'malformed-request',
      'unsupported-protocol',
      'wrong-run',
      'wrong-signature',
      'delegation-not-yet-valid',
      'unknown-hotkey',
      'too-large',
    ),
  },
});

export const chainRoute = createRoute({
  method: 'get',
  path: '/v1/chain',
  summary: 'The chain that the run hangs on, and the validator’s last setting of weights',
  responses: { 200: json(ChainStateSchema, 'As far as it is known'), ...problems('no-chain') },
});

export const chainRecordsRoute = createRoute({
  method: 'get',
  path: '/v1/chain/records/{hotkey}',
  summary: 'What the validator read of a hotkey on the chain, a reading an epoch, oldest first',
  request: {
    params: z.object({ hotkey: HotkeySchema }),
    query: z.object({ limit: z.coerce.number().int().min(1).max(MAX_CHAIN_RECORDS).default(MAX_CHAIN_RECORDS) }),
  },
  responses: { 200: json(ChainRecordsSchema, 'Readings'), ...problems('malformed-request', 'no-chain') },
});

export const peersRoute = createRoute({
  method: 'get',
  path: '/v1/peers',
  summary: 'All peers, ranked ones first',
  responses: { 200: json(LeaderboardSchema.shape.peers, 'As in /v1/leaderboard') },
});

export const peerRoute = createRoute({
  method: 'get',
  path: '/v1/peers/{hotkey}',
  summary: 'A peer: scores, history, verdicts, receipts',
  request: { params: z.object({ hotkey: HotkeySchema }) },
  responses: { 200: json(PeerSchema, 'The peer'), ...problems('malformed-request', 'unknown-hotkey') },
});

export const leaderboardRoute = createRoute({
  method: 'get',
  path: '/v1/leaderboard',
  summary: 'All peers by rank, as of the newest published window',
  responses: { 200: json(LeaderboardSchema, 'The leaderboard') },
});

export const windowsRoute = createRoute({
  method: 'get',
  path: '/v1/windows',
  summary: 'Published windows, oldest first',
  request: {
    query: z.object({
      from: z.coerce.number().pipe(WindowSchema).default(0),
      limit: z.coerce.number().pipe(z.int().min(0).max(MAX_WINDOWS)).default(100),
    }),
  },
  responses: { 200: json(z.array(WindowSummarySchema), 'One row a window'), ...problems('malformed-request') },
});

export const windowRoute = createRoute({
  method: 'get',
  path: '/v1/windows/{window}',
  summary: 'The record of a window; what the put phase seals is null or empty until it is published',
  request: { params: windowParameter },
  responses: { 200: json(WindowRecordSchema, 'The record'), ...problems('malformed-request', 'unknown-window') },
});

export const bookRoute = createRoute({
  method: 'get',
  path: '/v1/windows/{window}/book',
  summary: 'The open book of a published window: all that its judgement can be recomputed from, signed',
  request: { params: windowParameter },
  responses: { 200: json(SignedBookSchema, 'The book'), ...problems('malformed-request', 'unknown-window') },
});

export const refusalsRoute = createRoute({
  method: 'get',
  path: '/v1/windows/{window}/refusals',
  summary: 'Uploads of a window that were refused, oldest first, a few of each peer',
  request: { params: windowParameter },
  responses: { 200: json(RefusalsSchema, 'Whose, and why'), ...problems('malformed-request', 'unknown-window') },
});

export const samplesRoute = createRoute({
  method: 'get',
  path: '/v1/samples',
  summary: 'What the model went on with after the same prompts, window after window, oldest first',
  responses: { 200: json(SamplesSchema, 'The samples; none of a model too large to be asked between windows') },
});

export const ticketRoute = createRoute({
  method: 'post',
  path: '/v1/windows/{window}/contributions',
  summary: 'A ticket for an upload; may be asked for before the put phase opens',
  request: { params: windowParameter, body: body(TicketRequestSchema) },
  responses: {
    200: json(TicketSchema, 'Where to PUT the bytes, and by when'),
    ...problems(
      'malformed-request',
      'unsupported-protocol',
      'wrong-run',
      'wrong-window',
      'unknown-window',
      'unknown-hotkey',
      'wrong-signature',
      'delegation-expired',
      'delegation-revoked',
      'not-registered',
      'too-large',
      'malformed-contribution',
      'too-late',
      'already-delivered',
    ),
  },
});

export const uploadRoute = createRoute({
  method: 'put',
  path: '/v1/uploads/{ticket}',
  summary: 'The bytes of a contribution, whole, with Content-Length',
  request: {
    params: z.object({ ticket: z.string().max(128) }),
    body: {
      required: true,
      content: { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } },
    },
  },
  responses: {
    200: json(
      SignedReceiptSchema,
      'The receipt: the bytes are durable. Sending the same bytes again gives the same one',
    ),
    ...problems(
      'malformed-request',
      'unsupported-protocol',
      'unknown-ticket',
      'too-early',
      'too-late',
      'length-required',
      'too-large',
      'truncated-upload',
      'wrong-hash',
      'wrong-signature',
      'malformed-contribution',
      'index-out-of-range',
      'not-finite',
      'wrong-run',
      'wrong-window',
      'wrong-model',
      'delegation-expired',
      'delegation-revoked',
      'already-delivered',
      'too-many-requests',
      'not-ready',
    ),
  },
});

export const arrivedRoute = createRoute({
  method: 'post',
  path: '/v1/uploads/{ticket}',
  summary: 'The bytes are in the store that the ticket names; what comes there in time counts without this, too',
  request: { params: z.object({ ticket: z.string().max(128) }), body: body(z.strictObject({})) },
  responses: {
    200: json(SignedReceiptSchema, 'The receipt: the bytes are durable. Asking again gives the same one'),
    ...problems(
      'malformed-request',
      'unsupported-protocol',
      'unknown-ticket',
      'not-arrived',
      'too-early',
      'too-late',
      'too-large',
      'truncated-upload',
      'wrong-hash',
      'wrong-signature',
      'malformed-contribution',
      'index-out-of-range',
      'not-finite',
      'wrong-run',
      'wrong-window',
      'wrong-model',
      'delegation-expired',
      'delegation-revoked',
      'already-delivered',
      'too-many-requests',
      'not-ready',
    ),
  },
});

export const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'Whether the process lives',
  responses: { 200: json(z.object({ status: z.literal('ok') }), 'It does') },
});

export const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether windows go on',
  responses: { 200: json(z.object({ status: z.literal('ready') }), 'They do'), ...problems('not-ready') },
});
