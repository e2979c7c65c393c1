/** The operator's commands. Each lives in `commands/`; this file only names them and their options. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { NETWORKS } from '../chain/networks.ts';
import { GAUNTLET_PROFILES } from '../core/gauntlet/profiles/defaults.ts';
import { PRESET_NAMES } from '../core/model/presets.ts';
import { MAX_RECORDED_WINDOWS } from '../core/protocol/recording.ts';
import { withServingOptions } from './commands/serving.ts';
import { NODE_PROVIDERS } from '../engine/node.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** A command that is loaded when it is called: all of them take a second to load. */
const lazily =
  <Parameters extends unknown[]>(load: () => Promise<(...parameters: Parameters) => Promise<void> | void>) =>
  async (...parameters: Parameters): Promise<void> =>
    (await load())(...parameters);

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`a whole number from ${min} to ${max} is wanted`);
    }
    return value;
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 2 || value > 86_400) {
    throw new InvalidArgumentError('a number of seconds from 2 to 86400 is wanted');
  }
  return value;
}

function blockTime(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0 || value > 600) {
    throw new InvalidArgumentError('a number of seconds up to 600 is wanted');
  }
  return value;
}

const dataOption = (): Option =>
  new Option('--data <dir>', 'folder of the run: database, blobs, keys').default('data/run');
const presetOption = (): Option =>
  new Option('--preset <name>', 'model and schedule of a new run').choices([...PRESET_NAMES]).default('nano');
const windowOption = (): Option => new Option('--window <seconds>', 'window length of a new run').argParser(seconds);

const schemeOption = (): Option =>
  new Option('--scheme <name>', 'how work becomes a step in a new run; by preset').choices([
    'decoupled-momentum',
    'sparseloco',
  ]);
const profileOption = (): Option =>
  new Option('--profile <name>', 'how peers are judged in a new run; by preset').choices(
    Object.keys(GAUNTLET_PROFILES),
  );

const urlOption = (): Option => new Option('--url <url>', 'a validator, whose run is meant in place of --data’s');
const keyFileOption = (flag = '--key-file'): Option =>
  new Option(`${flag} <file>`, 'the hotkey: mnemonic, seed or hotkey file, mode 600').env('GAUNTLET_CHAIN_KEY_FILE');
const burnOption = (): Option =>
  new Option('--burn-uid <n>', 'neuron that gets what the run gives nobody, often the owner’s').argParser(
    integer(0, 65_535),
  );

const tokenOption = (): Option =>
  new Option('--operator-token-file <file>', 'token to read /metrics with, where one is wanted').env(
    'GAUNTLET_OPERATOR_TOKEN_FILE',
  );

/** The options of a run that is yet to be made. */
const newRunCommand = (command: Command): Command =>
  command
    .addOption(dataOption())
    .addOption(presetOption())
    .addOption(windowOption())
    .addOption(schemeOption())
    .addOption(profileOption())
    .addOption(new Option('--chain <name>', 'hang a new run on this chain').choices(Object.keys(NETWORKS)))
    .option('--endpoint <url...>', 'nodes (ws:// or wss://) of the new run’s chain')
    .option('--netuid <n>', 'subnet of the new run', integer(0, 65_535))
    .option('--train-blocks <n>', 'blocks of training in a window; by its length', integer(1, 7_200))
    .option('--put-blocks <n>', 'blocks of uploading in a window; by its length', integer(1, 7_200))
    .addOption(new Option('--block-seconds <s>', 'planned time between blocks; 12').argParser(blockTime))
    .option('--guests', 'admit hotkeys that are not registered on the chain')
    .option('--no-guests', 'admit wallets only');

/** A command about a subnet: the run's, or one that is named. */
const chainCommand = (name: string, description: string): Command =>
  chain
    .command(name)
    .description(description)
    .addOption(dataOption())
    .addOption(urlOption())
    .addOption(new Option('--chain <name>', 'a public chain').choices(Object.keys(NETWORKS)))
    .option('--endpoint <url...>', 'nodes (ws:// or wss://) to ask')
    .option('--netuid <n>', 'the subnet', integer(0, 65_535));

const program = new Command('gauntlet')
  .description('Trains a language model in browser tabs, and judges what each contributed.')
  .version(version)
  .showHelpAfterError('(--help lists what there is)');

withServingOptions(newRunCommand(program.command('start')), integer)
  .description('start a validator, the app and a few simulated peers; goes on where it stopped')
  .option('--port <n>', 'port to listen on', integer(0, 65_535), 8899)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--peers <n>', 'simulated honest peers beside you', integer(0, 64), 3)
  .option('--attackers <n>', 'simulated attackers, which take the gallery of attacks in turn', integer(0, 64), 1)
  .option('--attack <name...>', 'attackers by what they do (docs/attacks.md), instead of a number of them')
  .addOption(keyFileOption('--chain-key-file'))
  .addOption(burnOption())
  .option('--open', 'open the page in the system’s browser')
  .action(lazily(async () => (await import('./commands/start.ts')).startCommand));

withServingOptions(program.command('api'), integer)
  .description('answer requests of a run that another machine drives (DATABASE_URL, BLOBS_URL); any number of them')
  .addOption(dataOption())
  .option('--port <n>', 'port to listen on', integer(0, 65_535), 8899)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .action(lazily(async () => (await import('./commands/api.ts')).apiCommand));

program
  .command('evaluator')
  .description('measure losses for a run’s judge on this machine (DATABASE_URL, BLOBS_URL); any number of them')
  .option('--lanes <n>', 'measurements at once; by processors and memory', integer(1, 256))
  .addOption(
    new Option('--provider <name>', 'what onnxruntime computes on').choices([...NODE_PROVIDERS]).default('cpu'),
  )
  .action(lazily(async () => (await import('./commands/evaluator.ts')).evaluatorCommand));

program
  .command('status')
  .description('how a run stands: drawn anew on a terminal until Ctrl-C, once elsewhere')
  .option('--url <url>', 'a process of the run', 'http://127.0.0.1:8899')
  .option('--interval <seconds>', 'time between two questions', integer(1, 3_600), 2)
  .option('--once', 'print once and end')
  .option('--json', 'print once, as JSON')
  .addOption(tokenOption())
  .action(lazily(async () => (await import('./commands/status.ts')).statusCommand));

program
  .command('doctor')
  .description(
    'whether what a validator needs is as it has to be, and how to mend it; exit code 1 when something is not',
  )
  .addOption(dataOption())
  .option('--port <n>', 'port that it is to listen on', integer(1, 65_535), 8899)
  .option('--host <address>', 'address that it is to listen on', '127.0.0.1')
  .option('--origin <url>', 'the page’s origin as browsers see it, for the store’s CORS rules')
  .option('--json', 'findings as JSON')
  .action(lazily(async () => (await import('./commands/doctor.ts')).doctorCommand));

newRunCommand(program.command('run').description('make runs').command('create'))
  .description('create a run without starting it')
  .option('--name <text>', 'name shown to contributors')
  .option('--from <dir>', 'start from a Llama-family checkpoint: config.json, model.safetensors, tokenizer.json')
  .option('--corpus <file...>', 'text to train on (.txt or .jsonl with a "text" field) instead of the embedded corpus')
  .option('--seed <text>', 'seed of the initial parameters', 'gauntlet')
  .action(lazily(async () => (await import('./commands/run-create.ts')).createRunCommand));

program
  .command('presets')
  .description('what each model size asks of a contributor: parameters, memory, traffic')
  .option('--json', 'as JSON')
  .action(lazily(async () => (await import('./commands/presets.ts')).presetsCommand));

program
  .command('audit')
  .description('recompute published windows from public data alone; exit code 1 when something differs')
  .requiredOption('--url <url>', 'a validator, this run’s or anyone’s')
  .option('--window <n>', 'the window to audit; the newest published one if left out', integer(1, 2 ** 31 - 1))
  .option('--through <n>', 'the last of several windows', integer(1, 2 ** 31 - 1))
  .option('--receipt <file...>', 'receipts that you hold, as the API gives them: their uploads must be in the books')
  .option('--no-losses', 'leave out what takes long: measuring losses again')
  .option('--no-chain', 'leave out asking the run’s chain for the blocks that its beacons name')
  .option('--json', 'findings as JSON lines')
  .action(lazily(async () => (await import('./commands/audit.ts')).auditCommand));

program
  .command('eval')
  .description('mean next-token cross-entropy of a checkpoint, as JSON')
  .requiredOption('--checkpoint <dir>', 'config.json and model.safetensors')
  .addOption(new Option('--tokens <file>', 'token ids separated by white space').conflicts('text'))
  .addOption(new Option('--text <file>', 'text, tokenised with the checkpoint’s tokenizer.json'))
  .action(lazily(async () => (await import('./commands/eval.ts')).evalCommand));

program
  .command('export')
  .description('write the newest parameters of a run as a checkpoint that transformers loads')
  .addOption(dataOption())
  .requiredOption('--out <dir>', 'folder to write to')
  .action(lazily(async () => (await import('./commands/export.ts')).exportCommand));

program
  .command('record')
  .description('write a run’s published windows to a file that the page shows with ?replay=FILE')
  .requiredOption('--validator <url>', 'a validator, this run’s or anyone’s')
  .requiredOption('--out <file>', 'file to write, such as run.json.gz')
  .option('--windows <n>', 'the newest so many; all if left out', integer(1, MAX_RECORDED_WINDOWS))
  .action(lazily(async () => (await import('./commands/record.ts')).recordCommand));

program
  .command('backup')
  .description('copy a run’s folder, while a validator works on it or not; into an earlier copy only what is new')
  .addOption(dataOption())
  .requiredOption('--out <dir>', 'folder of the copy')
  .action(lazily(async () => (await import('./commands/backup.ts')).backupCommand));

program
  .command('restore')
  .description('put a backup where a validator can start on it')
  .requiredOption('--from <dir>', 'folder of the copy')
  .requiredOption('--data <dir>', 'an empty folder, or a new one')
  .action(lazily(async () => (await import('./commands/backup.ts')).restoreCommand));

program
  .command('verify')
  .description('check that all that a run’s record names is there and is what it says; exit code 1 when it is not')
  .addOption(dataOption())
  .action(lazily(async () => (await import('./commands/backup.ts')).verifyCommand));

const chain = program.command('chain').description('the Bittensor subnet that a run hangs on, or any other');

chainCommand('status', 'what the chain says of the subnet and its neurons')
  .option('--json', 'all neurons, as JSON')
  .action(lazily(async () => (await import('./commands/chain-status.ts')).chainStatusCommand));

chainCommand('weights', 'what the run’s weights come to on the subnet, and setting them')
  .option('--dry-run', 'say what would be sent, and send nothing')
  .addOption(keyFileOption())
  .option('--hotkey <address>', 'the validator’s hotkey, for a dry run without its key')
  .addOption(burnOption())
  .option('--json', 'the plan as JSON')
  .action(lazily(async () => (await import('./commands/chain-weights.ts')).chainWeightsCommand));

chainCommand('commit', 'publish a text of at most 128 bytes for a hotkey: a validator’s URL, or a bucket')
  .requiredOption('--text <text>', 'what is published')
  .addOption(keyFileOption().makeOptionMandatory())
  .action(lazily(async () => (await import('./commands/chain-commitments.ts')).chainCommitCommand));

chainCommand('commitments', 'what the subnet’s hotkeys have published')
  .option('--json', 'as JSON')
  .action(lazily(async () => (await import('./commands/chain-commitments.ts')).chainCommitmentsCommand));

// Whoever read the output is gone, such as `head` or a closed terminal: no reason to end a run.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  const { explain } = await import('./commands/failures.ts');
  const explanation = explain(error);
  if (explanation === undefined) throw error;
  console.error(`gauntlet: ${explanation}`);
  process.exitCode = 2;
}
