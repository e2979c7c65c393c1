/** Writes dist/build.json: the hash of each file of the build, and one of them all, which the app shows. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import type { Plugin } from 'vite';
import { buildHash, type BuildList } from './core/wire/build-list.ts';

export const BUILD_LIST = 'build.json';

/**
 * What is derived of listed files is no part of it: the list itself, and what is packed for the wire, whose bytes are
 * those of a zlib and arrive unpacked. Nor are marks that others leave beside a build.
 */
const isListed = (path: string): boolean => path !== BUILD_LIST && !path.endsWith('.gz') && !path.startsWith('.');

/** @param dir of a build */
export function listBuild(dir: string): BuildList {
  const paths = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter(isListed)
    .sort();
  const files = Object.fromEntries(
    paths.map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(dir, path)))
        .digest('hex'),
    ]),
  );
  return { hash: buildHash(files), files };
}

export function buildList(): Plugin {
  let dir = '';
  return {
    name: 'build-list',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      dir = resolve(config.root, config.build.outDir);
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler: () => writeFileSync(join(dir, BUILD_LIST), `${JSON.stringify(listBuild(dir), null, 1)}\n`),
    },
  };
}
