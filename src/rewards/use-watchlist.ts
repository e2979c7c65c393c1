/** Who is watched: what the address bar says, else what this browser remembers. */
import { useLocation } from 'wouter';
import { formatPlace, MAX_SUBJECTS, type Place } from './place.ts';
import { rememberWatched, watchedOf } from './watched.ts';

export interface Watchlist {
  /** Uids and addresses. */
  readonly subjects: readonly string[];
  readonly add: (subject: string) => void;
  readonly remove: (subject: string) => void;
  readonly replace: (subject: string, by: string) => void;
}

/** @param owner the run or the subnet that the list belongs to */
export function useWatchlist(place: Place, owner: string): Watchlist {
  const [, navigate] = useLocation();
  const subjects = place.subjects.length > 0 ? place.subjects : watchedOf(owner);
  const change = (next: readonly string[]): void => {
    const list = [...new Set(next)].slice(0, MAX_SUBJECTS);
    rememberWatched(owner, list);
    navigate(formatPlace({ ...place, subjects: list }), { replace: true });
  };
  return {
    subjects,
    add: (subject) => change([...subjects, subject]),
    remove: (subject) => change(subjects.filter((each) => each !== subject)),
    replace: (subject, by) => change(subjects.map((each) => (each === subject ? by : each))),
  };
}
