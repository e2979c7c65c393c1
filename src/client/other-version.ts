/** Failures that no other attempt mends: the page and its validator are of versions that do not understand each other. */
import { codeOf } from '../../client/failure.ts';
import { useContribute } from './app-context.ts';
import { useClock, useRun } from './queries.ts';

/** By which of the two is older, where that is known. */
export type OtherVersion = 'page-older' | 'page-newer' | 'different';

const VERSIONS: ReadonlyMap<string, OtherVersion> = new Map([
  ['ProgramTooOldError', 'page-older'],
  ['ProgramTooNewError', 'page-newer'],
  ['NotUnderstoodError', 'different'],
  ['unsupported-protocol', 'different'],
]);

/** @param failure an error, or what is left of one across a worker's boundary: its name or a problem's key */
export function otherVersionOf(failure: Error | string | null | undefined): OtherVersion | undefined {
  if (failure == null) return undefined;
  return VERSIONS.get(typeof failure === 'string' ? failure : codeOf(failure));
}

/** Of the page's own requests and the contributor's. */
export function useOtherVersion(): OtherVersion | undefined {
  const clock = useClock().error;
  const run = useRun().error;
  const contributor = useContribute(({ status }) => (status.kind === 'failed' ? status.code : undefined));
  return otherVersionOf(clock) ?? otherVersionOf(run) ?? otherVersionOf(contributor);
}
