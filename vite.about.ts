/** Which source a build was made of, so that the app can say it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Null where there is no git, as in an archive of the sources. */
function commit(root: string): string | null {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return null;
  }
}

/** Packagers set it for builds that come out the same: https://reproducible-builds.org/specs/source-date-epoch/ */
function builtAt(): string {
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  return (epoch === undefined ? new Date() : new Date(Number(epoch) * 1_000)).toISOString();
}

/** Puts `__BUILD__` into the app; src/settings/build.ts reads it. */
export function about(root = import.meta.dirname): Plugin {
  return {
    name: 'about',
    config() {
      const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
      return { define: { __BUILD__: JSON.stringify({ version, commit: commit(root), builtAt: builtAt() }) } };
    },
  };
}

const PACKAGE = /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/;
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

function licenceOf(folder: string): string | undefined {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return undefined;
  const { name, version, license } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, string | undefined>;
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name ?? folder} ${version ?? ''}: ${license ?? 'see below'}`, ...texts].join('\n\n');
}

/**
 * Writes the licences of every package of which something is in the build. Workers are built apart: they need the
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
        const notices = [...folders].sort().flatMap((folder) => licenceOf(folder) ?? []);
        const source = notices.join(`\n\n${'-'.repeat(80)}\n\n`);
        this.emitFile({ type: 'asset', fileName: 'third-party-licences.txt', source: `${source}\n` });
      },
    }),
  };
}
