/** `npm run experiments`: carries out the experiments and writes the report. */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, type } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { reportHtml, type Report } from '../report/html.ts';
import { writeDocuments } from '../report/documents.ts';
import { carryOutAll } from './pool.ts';
import { STUDIES } from './studies/all.ts';

const { values } = parseArgs({
  options: {
    /** Names, separated by commas. */
    only: { type: 'string' },
    long: { type: 'boolean', default: false },
    out: { type: 'string', default: 'experiments.html' },
    seed: { type: 'string', default: 'gauntlet' },
    /** Jobs at a time. */
    processes: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    /** Folder for the numbers, figures and tables that the documentation has. */
    docs: { type: 'string' },
  },
});

const names = STUDIES.map(({ name }) => name);
const wanted = values.only?.split(',') ?? names;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`there is no experiment ${unknown.join(', ')}; there are ${names.join(', ')}`);

const { seed, long } = values;
const studies = STUDIES.filter(({ name }) => wanted.includes(name)).map((study) => ({
  study,
  jobs: study.jobs({ seed, long }),
}));
const jobs = studies.flatMap((entry) => entry.jobs);
const started = Date.now();
const seconds = (): number => (Date.now() - started) / 1_000;

const outcomes = await carryOutAll(jobs, Number(values.processes), (done) => {
  const left = (seconds() / done) * (jobs.length - done);
  console.error(`${done} of ${jobs.length} runs, ${Math.round(seconds())} s; about ${Math.ceil(left)} s to go`);
});

/** Null outside of a checkout. */
function currentCommit(): string | null {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

let first = 0;
const report: Report = {
  command: ['npm run experiments', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
  seed,
  date: new Date().toISOString(),
  commit: currentCommit(),
  machine: `${cpus()[0]?.model.trim() ?? 'processor'}, ${availableParallelism()} threads, ${type()} ${release()}, Node ${process.versions.node}`,
  seconds: seconds(),
  sections: studies.map(({ study, jobs: own }) => {
    const { name, title, asks } = study;
    return { name, title, asks, ...study.conclude(outcomes.slice(first, (first += own.length)), { seed, long }) };
  }),
};
await mkdir(dirname(values.out), { recursive: true });
await writeFile(values.out, reportHtml(report));
if (values.docs !== undefined) await writeDocuments(values.docs, report);
console.error(`wrote ${values.out}`);
