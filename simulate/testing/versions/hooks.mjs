/**
 * Other versions of the program: the sources as they are, but for the files in which versions differ. These are changed while
 * they are loaded, as an editor would change them for a release, so that whatever reads them is the code of production.
 */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

/** A release that keeps one thing more, and does not rely on it yet. */
const EXPAND = `
MIGRATIONS.push(async (db) => {
  await db.schema.alterTable('contributions').addColumn('note', 'text').execute();
  await db.schema.createIndex('contributions_note').on('contributions').column('note').execute();
});`;

/** A later one that has done with it, and with whatever program looks at it. */
const CONTRACT = `
MIGRATIONS.push(Object.assign(
  async (db) => {
    await db.schema.dropIndex('contributions_note').execute();
    await db.schema.alterTable('contributions').dropColumn('note').execute();
  },
  { needs: MIGRATIONS.length },
));`;

const VERSIONS = {
  /** Speaks a protocol more, and begins new runs in it. */
  next: { oldest: 1, newest: 2, steps: EXPAND },
  /** The one after. */
  later: { oldest: 1, newest: 2, steps: EXPAND + CONTRACT },
  /** Of long ago. */
  former: { oldest: 0, newest: 0, steps: '' },
};

const version = VERSIONS[process.env['TEST_VERSION']];
if (!version) throw new Error(`TEST_VERSION is one of ${Object.keys(VERSIONS).join(', ')}`);

/** The page that belongs to it, where there is one: `TEST_APP` is the folder that it was built into. */
const app = process.env['TEST_APP'];

/** By the end of a module's path. */
const CHANGES = {
  '/core/protocol/spoken.ts': () =>
    `export const OLDEST_PROTOCOL = ${version.oldest}; export const NEWEST_PROTOCOL = ${version.newest};`,
  '/validator/adapters/migrations.ts': (source) => source + version.steps,
  '/validator/commands/process.ts': (source) =>
    app === undefined ? source : source.replace("'../../dist'", JSON.stringify(pathToFileURL(app).href)),
};

/** Beneath the loader that makes JavaScript of it. */
export async function load(url, context, nextLoad) {
  const { pathname } = new URL(url);
  const change = Object.entries(CHANGES).find(
    ([end]) => pathname.endsWith(end) && !pathname.includes('/node_modules/'),
  );
  if (!change) return nextLoad(url, context);
  const source = change[1](await readFile(new URL(`file://${pathname}`), 'utf8'));
  return { format: 'module', source, shortCircuit: true };
}
