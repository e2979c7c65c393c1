/** Makes a run in a folder, with progress on the terminal: shared by `start` and `run create`. */
import { join } from 'node:path';
import { GAUNTLET_PROFILES } from '../../core/gauntlet/profiles/defaults.ts';
import { isPresetName, PRESETS, type PresetName } from '../../core/model/presets.ts';
import type { GauntletParameters, SchemeParameters, SignedManifest } from '../../core/protocol/manifest.ts';
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

export interface NewRunOptions {
  readonly data: string;
  readonly preset: string;
  /** Seconds a window. */
  readonly window?: number;
  readonly scheme?: SchemeParameters['name'];
  readonly profile?: GauntletParameters['profile'];
  readonly name?: string;
  readonly from?: string;
  readonly corpus?: readonly string[];
  readonly seed?: string;
}

function presetOf(name: string): PresetName {
  if (!isPresetName(name)) throw new UsageError(`there is no preset ${name}`);
  return name;
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
  const opened = await openOrCreateRun(options.data, async ({ blobs }) => {
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
    const seconds = options.window;
    const window =
      seconds === undefined
        ? PRESETS[preset].window
        : { trainSeconds: TRAIN_SHARE * seconds, putSeconds: PUT_SHARE * seconds };
    const scheme = options.scheme === undefined ? manifest.scheme : PRESETS[preset].schemes[options.scheme];
    const profile = options.profile === undefined ? manifest.gauntlet : GAUNTLET_PROFILES[options.profile];
    // Contributors wait for the judge: at most as long as a window lasts.
    const evaluationSeconds = Math.min(profile.evaluationSeconds, window.trainSeconds + window.putSeconds);
    const gauntlet = { ...profile, evaluationSeconds };
    return {
      name: options.name ?? `${preset} on public-domain English`,
      guests: true,
      manifest: { ...manifest, window, scheme, gauntlet },
      initialParameters,
    };
  });
  if (process.stderr.isTTY && opened.created) process.stderr.write('\r\x1b[K');
  return opened;
}
