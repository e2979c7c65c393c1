/** Which build of the app this is; vite.about.ts puts it in. */

export interface Build {
  readonly version: string;
  /** Short hash, with a + where the sources were changed since; null where it was built without git. */
  readonly commit: string | null;
  /** Of the commit, ISO 8601; null where it is not known. */
  readonly date: string | null;
}

declare const __BUILD__: Build;

/** Undefined in tests, which nothing builds. */
export const BUILD: Build | undefined = typeof __BUILD__ === 'undefined' ? undefined : __BUILD__;
