/** Makes a run in a folder, with progress on the terminal: shared by `start` and `run create`. */
import { join } from 'node:path';
import { GAUNTLET_PROFILES } from '../../core/gauntlet/profiles/defaults.ts';
import { isPresetName, PRESETS, type PresetName } from '../../core/model/presets.ts';
import {
  RunManifestSchema,
  type GauntletParameters,
  type RunChain,
  type RunManifest,
  type SchemeParameters,
  type SignedManifest,
} from '../../core/protocol/manifest.ts';
import { placesOf } from '../adapters/places.ts';
import { chainOfNewRun, type NewChainOptions } from './chain-run.ts';
import { openOrCreateRun } from '../serve.ts';
import { exportCheckpointDir } from '../setup/checkpoint-files.ts';
import { createRunArtefacts, type ArtefactStage } from '../setup/create-artefacts.ts';
import { DEFAULT_CACHE } from '../setup/data-cache.ts';
import { UsageError } from './usage-error.ts';

/** Shares of a window; judging takes what it takes after the put phase. */
const TRAIN_SHARE = 0.75;
const PUT_SHARE = 0.2;

const STAGE: Record<ArtefactStage, string> = {
  corpus: 'reading the corpus',
  tokenizer: 'training the tokenizer',
  pages: 'tokenising',
  parameters: 'initialising the model',
  blobs: 'storing pages',
};

export interface NewRunOptions extends NewChainOptions {
  readonly preset: string;
  /** Seconds a window. */
  readonly window?: number;
  readonly scheme?: SchemeParameters['name'];
  readonly profile?: GauntletParameters['profile'];
  readonly name?: string;
  /** By default guests may contribute where there is no chain, and nobody but registered hotkeys where there is one. */
  readonly guests?: boolean;
  readonly from?: string;
  readonly corpus?: readonly string[];
  readonly seed?: string;
}

function presetOf(name: string): PresetName {
  if (!isPresetName(name)) throw new UsageError(`there is no preset ${name}`);
  return name;
}

function plannedWindow(seconds: number | undefined, preset: RunManifest['window']): RunManifest['window'] {
  return seconds === undefined ? preset : { trainSeconds: TRAIN_SHARE * seconds, putSeconds: PUT_SHARE * seconds };
}

/** What a chain's blocks come to, as planned. */
function windowOf({ trainBlocks, putBlocks, blockSeconds }: RunChain): RunManifest['window'] {
  return { trainSeconds: trainBlocks * blockSeconds, putSeconds: putBlocks * blockSeconds };
}

function progressLine(): (stage: ArtefactStage, fraction: number) => void {
  let last = '';
  return (stage, fraction) => {
    if (!process.stderr.isTTY && stage === last) return;
    last = stage;
    process.stderr.write(
      process.stderr.isTTY ? `\r\x1b[K${STAGE[stage]} ${Math.round(100 * fraction)} %` : `${STAGE[stage]} …\n`,
    );
  };
}

/**
 * Opens the run of a folder, or makes it, with θ_1 beside it as safetensors in `initial-checkpoint/`.
 *
 * @returns whether it was made now
 */
export async function openOrCreate(options: NewRunOptions): Promise<{ signed: SignedManifest; created: boolean }> {
  const preset = presetOf(options.preset);
  if (options.name !== undefined && !RunManifestSchema.shape.name.safeParse(options.name).success) {
    throw new UsageError('--name is a line of at most 80 characters, none of them invisible');
  }
  const opened = await openOrCreateRun(
    options.data,
    async ({ blobs }) => {
      const planned = plannedWindow(options.window, PRESETS[preset].window);
      // Before the work: a node that does not answer is no reason to do it twice.
      const chain = await chainOfNewRun(options, planned);
      const window = chain ? windowOf(chain) : planned;
      const { manifest, initialParameters, tokenizerJson } = await createRunArtefacts({
        preset,
        seed: new TextEncoder().encode(options.seed ?? 'gauntlet'),
        ...(options.corpus === undefined ? {} : { corpus: options.corpus }),
        ...(options.from === undefined ? {} : { fromCheckpointDir: options.from }),
        blobs,
        cacheDir: DEFAULT_CACHE,
        onProgress: progressLine(),
      });
      await exportCheckpointDir(
        join(options.data, 'initial-checkpoint'),
        manifest.model,
        initialParameters,
        tokenizerJson,
      );
      const scheme = options.scheme === undefined ? manifest.scheme : PRESETS[preset].schemes[options.scheme];
      const profile = options.profile === undefined ? manifest.gauntlet : GAUNTLET_PROFILES[options.profile];
      // Contributors wait for the judge: at most as long as a window lasts.
      const evaluationSeconds = Math.min(profile.evaluationSeconds, window.trainSeconds + window.putSeconds);
      const gauntlet = { ...profile, evaluationSeconds };
      return {
        name: options.name ?? `${preset} on public-domain English`,
        guests: options.guests ?? !chain,
        manifest: { ...manifest, window, scheme, gauntlet, ...(chain ? { chain } : {}) },
        initialParameters,
      };
    },
    { places: placesOf(process.env) },
  );
  if (process.stderr.isTTY && opened.created) process.stderr.write('\r\x1b[K');
  return opened;
}
