/** Whom this browser watches, by what they belong to: a run, or a subnet of some chain. */
import * as z from 'zod';
import { MAX_SUBJECTS, parseSubject } from './place.ts';

const STORAGE_KEY = 'gauntlet.watched';
/** Those watched longest ago are forgotten first. */
const MAX_LISTS = 20;

const WatchedSchema = z.array(
  z.tuple([
    z.string().max(300),
    z.array(z.string().refine((text) => parseSubject(text) !== undefined)).max(MAX_SUBJECTS),
  ]),
);
type Watched = z.infer<typeof WatchedSchema>;

function read(): Watched {
  try {
    return WatchedSchema.parse(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '[]'));
  } catch {
    // Storage may be forbidden, or hold what an older version wrote.
    return [];
  }
}

export function watchedOf(owner: string): readonly string[] {
  return read().find(([each]) => each === owner)?.[1] ?? [];
}

export function rememberWatched(owner: string, subjects: readonly string[]): void {
  const others = read().filter(([each]) => each !== owner);
  const lists: Watched = subjects.length === 0 ? others : [[owner, [...subjects]], ...others];
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(lists.slice(0, MAX_LISTS)));
  } catch {
    // Not remembered, then.
  }
}
