/** `gauntlet run create`: makes a run without starting it. */
import { openOrCreate, type NewRunOptions } from './create.ts';
import { UsageError } from './usage-error.ts';

export async function createRunCommand(options: NewRunOptions): Promise<void> {
  const { signed, created } = await openOrCreate(options);
  if (!created) throw new UsageError(`${options.data} already holds run ${signed.run}; choose another --data`);
  const { manifest, run } = signed;
  console.log(`run ${run}: ${manifest.name}`);
  console.log(`  model      ${manifest.preset}, ${manifest.model.numLayers} layers of ${manifest.model.hiddenSize}`);
  console.log(`  data       ${manifest.data.pages} pages, ${manifest.data.heldOutPages} of them held out`);
  console.log(`  state root ${manifest.checkpoint.initialRoot}`);
  console.log(`start it with: npx --no-install gauntlet start --data ${options.data}`);
}
