/** Which errors are an operator's to mend: said in a sentence, without a stack. Everything else is a bug of ours. */
import { ChainError } from '../../chain/errors.ts';
import { NotUnderstoodError, UnreachableError } from '../../client/http.ts';
import { RecordingError } from '../../client/recording.ts';
import { DataError } from '../../core/data/pages.ts';
import { TokenizerError } from '../../core/data/bpe.ts';
import { CheckpointError } from '../../core/model/checkpoint.ts';
import { HfConfigError } from '../../core/model/hf-config.ts';
import { SafetensorsError } from '../../core/model/safetensors.ts';
import { forTerminal } from '../../core/protocol/shown-text.ts';
import { ManifestError } from '../../core/identity/manifest.ts';
import { ProtocolError } from '../../core/protocol/versions.ts';
import { AuditSourceError } from '../audit/source.ts';
import { AccessError } from '../adapters/callers.ts';
import { HotkeyFileError } from '../adapters/chain/hotkey-file.ts';
import { BackupError } from '../adapters/backup.ts';
import { ProviderError } from '../adapters/evaluator.ts';
import { FolderInUseError } from '../adapters/lock.ts';
import { DatabaseVersionError } from '../adapters/migrate.ts';
import { PlacesError } from '../adapters/places.ts';
import { DatabaseUnansweredError } from '../adapters/postgres/unanswered.ts';
import { ObjectStoreError } from '../adapters/s3/bucket.ts';
import { CorruptRunError } from '../rounds/corrupt-run.ts';
import { CorpusError } from '../setup/corpus.ts';
import { EvaluationError } from '../setup/eval-checkpoint.ts';
import { UsageError } from './usage-error.ts';

const EXPECTED = [
  UsageError,
  UnreachableError,
  RecordingError,
  AuditSourceError,
  HotkeyFileError,
  AccessError,
  ManifestError,
  FolderInUseError,
  BackupError,
  PlacesError,
  ProviderError,
  DatabaseVersionError,
  DatabaseUnansweredError,
  ObjectStoreError,
  CorruptRunError,
  CorpusError,
  EvaluationError,
  CheckpointError,
  HfConfigError,
  SafetensorsError,
  TokenizerError,
  DataError,
];

const SYSTEM: Partial<Record<string, string>> = {
  EADDRINUSE: 'the port is taken; choose another with --port',
  EADDRNOTAVAIL: 'this machine has no such address; choose another with --host',
  EACCES: 'permission denied',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
};

/** The sentence to print: parts of it may be a stranger's, such as a validator's that was asked; undefined for an error that nobody expected. */
export function explain(error: unknown): string | undefined {
  const sentence = sentenceOf(error);
  return sentence === undefined ? undefined : forTerminal(sentence);
}

function sentenceOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof ChainError || error instanceof ProtocolError || error instanceof NotUnderstoodError) {
    return `${error.message} ${error.remedy}`.trimEnd();
  }
  if (EXPECTED.some((kind) => error instanceof kind)) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : SYSTEM[code];
  return reason === undefined ? undefined : [path, reason].filter(Boolean).join(': ');
}
