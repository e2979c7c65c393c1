/** Who else is at a run that several processes share. */
import { sql } from 'kysely';
import { GONE_MS } from '../../adapters/postgres/evaluation-jobs.ts';
import type { PostgresRun } from '../../adapters/postgres/postgres.ts';
import { duration, plain } from '../status/view.ts';
import { ok, warning, type Finding } from './finding.ts';

export interface ProcessesLook {
  readonly findings: Finding[];
  readonly driven: boolean;
}

const now = sql<string>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

export async function examineProcesses({ db }: Pick<PostgresRun, 'db'>): Promise<ProcessesLook> {
  const leases = await db
    .selectFrom('leases')
    .select(['until', now.as('now')])
    .execute();
  const driven = leases.some((lease) => Number(lease.until) > Number(lease.now));
  const rows = await db
    .selectFrom('evaluators')
    .select(['description', 'lanes', 'seen', now.as('now')])
    .execute();
  const evaluators = rows.map(({ description, lanes, ...row }) => ({
    text: `${plain(description)}: ${lanes} at once`,
    agoMs: Number(row.now) - Number(row.seen),
  }));
  const alive = evaluators.filter(({ agoMs }) => agoMs < GONE_MS);
  const findings = [ok('driver', driven ? 'a process drives the windows' : 'no process drives the windows now')];
  if (alive.length > 0) findings.push(ok('evaluators', alive.map(({ text }) => text).join('; ')));
  else if (evaluators.length === 0)
    findings.push(ok('evaluators', 'there are none: the judge measures everything itself'));
  else {
    const last = duration(Math.min(...evaluators.map(({ agoMs }) => agoMs)));
    findings.push(warning('evaluators', `${evaluators.length} were there, the last one seen ${last} ago`, 'Start them again; until then the judge measures everything itself.')); // prettier-ignore
  }
  return { findings, driven };
}
