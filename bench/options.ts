/** The options of the benchmark, the same for the browser and for Node. */
import { parseArgs } from 'node:util';
import { CONTENDER_NAMES } from './report.ts';
import type { BenchOptions } from './run.ts';
import { WORKLOAD_NAMES } from './workload.ts';

export interface CommandLine extends BenchOptions {
  /** File that the report is written to. */
  readonly json: string | undefined;
  /** Report that is printed, with nothing measured. */
  readonly table: string | undefined;
  /** Folder that the models are written to for torch_llama.py, with nothing measured. */
  readonly exported: string | undefined;
  /** What torch_llama.py answered, to be added to the table's report. */
  readonly torch: string | undefined;
  /** Minutes after which a contender is given up. */
  readonly timeout: number;
}

function chosen<Name extends string>(list: string | undefined, all: readonly Name[], usual: readonly Name[]): Name[] {
  if (list === undefined) return [...usual];
  return list.split(',').map((name) => {
    const found = all.find((one) => one === name);
    if (found === undefined) throw new Error(`${name} is none of ${all.join(', ')}`);
    return found;
  });
}

/** @throws Error for an option or a name that there is not */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      preset: { type: 'string' },
      contenders: { type: 'string' },
      steps: { type: 'string' },
      batch: { type: 'string' },
      timeout: { type: 'string', default: '10' },
      json: { type: 'string' },
      table: { type: 'string' },
      export: { type: 'string' },
      torch: { type: 'string' },
    },
  });
  const { quick, full } = values;
  const usual = full
    ? (['micro', 'nano', 'mini', 'small', 'base'] as const)
    : quick
      ? (['micro', 'nano'] as const)
      : (['micro', 'nano', 'mini', 'small'] as const);
  return {
    workloads: chosen(values.preset, WORKLOAD_NAMES, usual),
    contenders: chosen(values.contenders, CONTENDER_NAMES, CONTENDER_NAMES),
    steps: values.steps === undefined ? undefined : Number(values.steps),
    sequences: values.batch === undefined ? undefined : Number(values.batch),
    quick,
    json: values.json,
    table: values.table,
    exported: values.export,
    torch: values.torch,
    timeout: Number(values.timeout),
  };
}
