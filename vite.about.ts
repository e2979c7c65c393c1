/** Which source a build was made of, so that the app can say it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

export interface Sources {
  /** With a + where they were changed since; null where there is no git, as in an archive of the sources. */
  readonly commit: string | null;
  /** When that commit was made, ISO 8601. The time of the build itself would make each build another. */
  readonly date: string | null;
}

/**
 * Where the sources come without their history, as in an image, whoever builds says what they are: `GAUNTLET_COMMIT`, and
 * `SOURCE_DATE_EPOCH` as https://reproducible-builds.org/specs/source-date-epoch/ has it.
 */
export function sourcesOf(root: string): Sources {
  const git = (...args: string[]): string | undefined => {
    try {
      return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      return undefined;
    }
  };
  const { GAUNTLET_COMMIT: told, SOURCE_DATE_EPOCH: epoch = git('log', '-1', '--format=%ct') } = process.env;
  const head = git('rev-parse', 'HEAD')?.slice(0, 12);
  const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
  return {
    commit: told ?? (head === undefined ? null : `${head}${changed ? '+' : ''}`),
    date: epoch === undefined ? null : new Date(Number(epoch) * 1_000).toISOString(),
  };
}

/** Puts `__BUILD__` into the app; src/settings/build.ts reads it. */
export function about(root = import.meta.dirname): Plugin {
  return {
    name: 'about',
    config() {
      const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
      return { define: { __BUILD__: JSON.stringify({ version, ...sourcesOf(root) }) } };
    },
  };
}

const PACKAGE = /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/;
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** Licences under which anyone may have the app and do with it what ours allows. */
const PERMISSIVE = /^\(?(?:MIT|ISC|0BSD|BSD-[23]-Clause|BSL-1\.0|Apache-2\.0|Unlicense|CC0-1\.0|Zlib)\)?$/;

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** Undefined for a folder that is no package by itself. @throws Error where its licence does not go with ours */
function manifestOf(folder: string): PackageManifest | undefined {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return undefined;
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as PackageManifest;
  const parts = manifest.license?.split(/ (?:AND|OR) /) ?? ['none'];
  if (!parts.every((part) => PERMISSIVE.test(part))) {
    throw new Error(`The app must not contain ${manifest.name}, whose licence is ${parts.join(' ')}`);
  }
  return manifest;
}

function licenceOf(folder: string, { name, version, license }: PackageManifest): string {
  const files = readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name} ${version}: ${license ?? 'see below'}`, ...texts].join('\n\n');
}

/**
 * Writes the licences, and the names, of every package of which something is in the build. Workers are built apart: they need the
 * collecting half too.
 */
export function thirdPartyLicences(): { readonly collect: () => Plugin; readonly write: () => Plugin } {
  const folders = new Set<string>();
  return {
    collect: () => ({
      name: 'third-party-licences:collect',
      apply: 'build',
      transform: {
        filter: { id: /node_modules/ },
        handler(_code, id) {
          const folder = PACKAGE.exec(id)?.[0];
          if (folder !== undefined) folders.add(folder);
        },
      },
    }),
    write: () => ({
      name: 'third-party-licences:write',
      apply: 'build',
      generateBundle() {
        const packages = [...folders].sort().flatMap((folder) => {
          const manifest = manifestOf(folder);
          return manifest ? [{ folder, manifest }] : [];
        });
        const notices = packages.map(({ folder, manifest }) => licenceOf(folder, manifest));
        const source = notices.join(`\n\n${'-'.repeat(80)}\n\n`);
        this.emitFile({ type: 'asset', fileName: 'third-party-licences.txt', source: `${source}\n` });
        // For scripts/sbom.mjs.
        const list = packages.map(({ manifest: { name, version } }) => ({ name, version }));
        this.emitFile({ type: 'asset', fileName: 'third-party-packages.json', source: `${JSON.stringify(list)}\n` });
      },
    }),
  };
}
