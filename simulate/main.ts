/** The process behind `gauntlet start --peers N --attackers N`: runs a crowd until it is told to stop. */
import { parseArgs } from 'node:util';
import { createCrowd } from './peers.ts';

const { values } = parseArgs({
  options: {
    validator: { type: 'string' },
    folder: { type: 'string' },
    honest: { type: 'string', default: '0' },
    attackers: { type: 'string', default: '0' },
    'max-pages': { type: 'string' },
  },
});
if (!values.validator || !values.folder) throw new Error('--validator and --folder are needed');

const crowd = await createCrowd({
  validatorUrl: values.validator,
  folder: values.folder,
  honest: Number(values.honest),
  attackers: Number(values.attackers),
  ...(values['max-pages'] === undefined ? {} : { maxPages: Number(values['max-pages']) }),
  onEvent({ name }, event) {
    if (event.type === 'warning') console.error(`${name}: ${event.message}`);
    if (event.type === 'status' && (event.status.kind === 'failed' || event.status.kind === 'retrying')) {
      console.error(`${name}: ${event.status.reason}`);
    }
  },
});

const stop = (): void => {
  for (const { contributor } of crowd) contributor.stop();
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
// The starter's end of the pipe closes when it dies, however it dies: no orphan trains on.
process.stdin.resume();
process.stdin.on('end', stop);

await Promise.all(crowd.map(({ contributor }) => contributor.run()));
process.exit(0);
