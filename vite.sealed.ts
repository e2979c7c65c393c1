/**
 * Every page of the build names the hash of each file that it may execute, so a page's own hash stands for all of them:
 * scripts, preloads and the stylesheet in their `integrity` attributes, and what is imported later, workers included, in
 * an import map. Browsers enforce all of it but workers, whose bytes workers/start-worker.ts compares with the same map.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path/posix';
import type { Plugin, Rolldown } from 'vite';
import { pagePolicy } from './vite.policy.ts';

type Bundle = Rolldown.OutputBundle;

const sha256 = (bytes: Uint8Array | string): string => `sha256-${createHash('sha256').update(bytes).digest('base64')}`;

const isScript = (name: string): boolean => name.endsWith('.js');

/** The scripts that a page may come to execute: what its entry imports, at once or later, and the workers that those name. */
function scriptsOf(page: string, bundle: Bundle): string[] {
  const entry = Object.values(bundle).find(
    (output) => output.type === 'chunk' && output.isEntry && output.facadeModuleId?.endsWith(`/${page}`),
  );
  if (!entry) throw new Error(`${page} has no script`);
  const workers = Object.keys(bundle).filter((name) => isScript(name) && bundle[name]!.type === 'asset');
  const found = new Set<string>();
  const visit = (name: string): void => {
    const output = bundle[name];
    if (output === undefined || found.has(name)) return;
    found.add(name);
    if (output.type !== 'chunk') return;
    [...output.imports, ...output.dynamicImports].forEach(visit);
    workers.filter((worker) => output.code.includes(basename(worker))).forEach(visit);
  };
  visit(entry.fileName);
  return [...found].sort();
}

const TAG = /<(?:script|link)\b[^>]*\s(?:src|href)="(?<file>[^"]+\.(?:js|css))"/g;

/** @param page its path in the build @param hashOf of a file of the build, by its path */
async function sealPage(
  page: string,
  html: string,
  scripts: readonly string[],
  hashOf: (file: string) => Promise<string>,
) {
  const relativeTo = (file: string): string => {
    const path = relative(dirname(page), file);
    return path.startsWith('.') ? path : `./${path}`;
  };
  const integrity = Object.fromEntries(
    await Promise.all(scripts.map(async (file) => [relativeTo(file), await hashOf(file)] as const)),
  );
  const importMap = JSON.stringify({ integrity });
  const policy = pagePolicy([`'${sha256(importMap)}'`]);
  const files = [...new Set([...html.matchAll(TAG)].map(({ groups }) => groups!['file']!))];
  const hashes = new Map(
    await Promise.all(files.map(async (file) => [file, await hashOf(join(dirname(page), file))] as const)),
  );
  return (
    html
      .replace(TAG, (tag, file: string) => `${tag} integrity="${hashes.get(file)!}"`)
      // After the encoding, which has to come first, and before everything that is loaded.
      .replace(
        /<meta charset="utf-8" \/>/,
        (charset) =>
          `${charset}\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />` +
          `\n    <script type="importmap">${importMap}</script>`,
      )
  );
}

/** `import hash from './file?integrity'`: for files that a script loads and executes by itself. */
export function integrityOfFiles(): Plugin {
  const suffix = '?integrity';
  return {
    name: 'integrity-of-files',
    enforce: 'pre',
    async resolveId(source, importer) {
      if (!source.endsWith(suffix)) return undefined;
      const file = await this.resolve(source.slice(0, -suffix.length), importer, { skipSelf: true });
      return file && `\0${file.id}${suffix}`;
    },
    load: {
      filter: { id: /\?integrity$/ },
      async handler(id) {
        // The development server names what it resolved with a version.
        const file = id.slice(1, -suffix.length).replace(/\?.*$/, '');
        this.addWatchFile(file);
        return `export default ${JSON.stringify(sha256(await readFile(file)))}`;
      },
    },
  };
}

export function sealed(): Plugin {
  return {
    name: 'sealed',
    apply: 'build',
    writeBundle: {
      sequential: true,
      async handler({ dir }, bundle) {
        const hashOf = async (file: string): Promise<string> => sha256(await readFile(join(dir!, file)));
        for (const page of Object.keys(bundle).filter((name) => name.endsWith('.html'))) {
          const path = join(dir!, page);
          const html = await sealPage(page, await readFile(path, 'utf8'), scriptsOf(page, bundle), hashOf);
          await writeFile(path, html);
        }
      },
    },
  };
}
