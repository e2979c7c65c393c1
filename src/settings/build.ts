/** Which build of the app this is; vite.about.ts puts it in. */

export interface Build {
  readonly version: string;
  /** Short hash, with a + where the sources were changed since; null where it was built without git. */
  readonly commit: string | null;
  /** ISO 8601. */
  readonly builtAt: string;
}

declare const __BUILD__: Build;

/** Undefined in tests, which nothing builds. */
export const BUILD: Build | undefined = typeof __BUILD__ === 'undefined' ? undefined : __BUILD__;
