/** The process behind `gauntlet start --peers N --attackers N`: runs a crowd until it is told to stop. */
import { parseArgs } from 'node:util';
import { ATTACK_NAMES, isAttackName } from './attacks/gallery.ts';
import { createCrowd } from './peers.ts';

const { values } = parseArgs({
  options: {
    validator: { type: 'string' },
    folder: { type: 'string' },
    honest: { type: 'string', default: '0' },
    attackers: { type: 'string', default: '0' },
    attack: { type: 'string', multiple: true, default: [] },
    'max-pages': { type: 'string' },
  },
});
if (!values.validator || !values.folder) throw new Error('--validator and --folder are needed');

const attacks = values.attack.map((name) => {
  if (!isAttackName(name)) {
    console.error(`there is no attack ${name}; there are ${ATTACK_NAMES.join(', ')}`);
    process.exit(2);
  }
  return name;
});

const crowd = await createCrowd({
  validatorUrl: values.validator,
  folder: values.folder,
  honest: Number(values.honest),
  attackers: attacks.length > 0 ? attacks : Number(values.attackers),
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
