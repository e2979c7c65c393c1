/** What is set in the environment, and the program itself. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../../adapters/durable-file.ts';
import { placesOf, PlacesError, type Places } from '../../adapters/places.ts';
import { UsageError } from '../usage-error.ts';
import { failure, ok, warning, type Finding } from './finding.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const CHECK = 'configuration';
const KEY_BYTES = 32;
const LOCAL = /^(localhost|127\.|\[::1\]|\[?::ffff:127\.)/;

const isSet = (environment: Environment, name: string): boolean => (environment[name] ?? '') !== '';

/** Variables that have no effect, or another one than whoever set them thinks. */
function contradictions(environment: Environment, { database, bucket }: Places): Finding[] {
  const found: Finding[] = [];
  if (!bucket) {
    const idle = ['BLOBS_PUBLIC_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'].filter((name) => isSet(environment, name)); // prettier-ignore
    if (idle.length > 0) {
      found.push(warning(CHECK, `${idle.join(', ')} without BLOBS_URL: blobs are kept in the folder`, 'Set BLOBS_URL, too, or take the others away.')); // prettier-ignore
    }
  }
  if ((database === undefined) !== (bucket === undefined)) {
    const [has, lacks] = bucket ? ['BLOBS_URL', 'DATABASE_URL'] : ['DATABASE_URL', 'BLOBS_URL'];
    found.push(warning(CHECK, `${has} without ${lacks}: one process alone can be at this run`, `Set ${lacks}, too, if several are to share it.`)); // prettier-ignore
  }
  const { protocol, host } = new URL(bucket?.publicUrl ?? bucket?.url ?? 'https://none');
  if (protocol === 'http:' && !LOCAL.test(host)) {
    found.push(warning(CHECK, `browsers are sent to ${host} without TLS, which a page with HTTPS cannot ask`, 'Give the store HTTPS, and name that in BLOBS_PUBLIC_URL or BLOBS_URL.')); // prettier-ignore
  }
  if (database !== undefined) {
    const { hostname, searchParams } = new URL(database);
    const remote = hostname !== '' && !LOCAL.test(hostname) && !searchParams.has('host');
    if (remote && ['disable', 'allow', 'prefer', null].includes(searchParams.get('sslmode'))) {
      found.push(warning(CHECK, `the database at ${hostname} is spoken to without TLS`, 'Add ?sslmode=verify-full to DATABASE_URL, unless nobody else is on that network.')); // prettier-ignore
    }
  }
  return found;
}

/**
 * @param more what else is read of the environment. @throws UsageError when it cannot be understood
 * @returns where the run is kept, undefined when that cannot be understood
 */
export function examineSettings(
  environment: Environment,
  more: () => void,
): { places: Places | undefined; findings: Finding[] } {
  try {
    const places = placesOf(environment);
    more();
    const found = contradictions(environment, places);
    const kept = `record in ${places.database === undefined ? 'the folder' : 'PostgreSQL'}, blobs in ${places.bucket ? 'an object store' : 'the folder'}`;
    return { places, findings: found.length > 0 ? found : [ok(CHECK, kept)] };
  } catch (error) {
    if (!(error instanceof PlacesError) && !(error instanceof UsageError)) throw error;
    return { places: undefined, findings: [failure(CHECK, error.message, 'Correct the variable that is named.')] };
  }
}

/** @param version of Node, as process.versions has it. @param range of package.json, such as >=20.19 */
export function examineNode(version: string, range: string): Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = range
    .replace(/[^\d.]/g, '')
    .split('.')
    .map(Number);
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    return [failure('node', `Node ${version} is too old`, `Install Node ${leastMajor}.${leastMinor} or newer.`)];
  }
  return [ok('node', `Node ${version}`)];
}

/** @param app folder of the built page */
export function examineApp(app: string | undefined): Finding[] {
  if (app !== undefined && existsSync(join(app, 'index.html'))) return [ok('page', 'the page is built')];
  return [
    warning(
      'page',
      'the page is not built: the API would answer, and no page',
      'Run npm run build, unless it is served elsewhere.',
    ),
  ];
}

/** @param needed whether there is a run, which the key belongs to */
export async function examineKey(path: string, needed: boolean): Promise<Finding[]> {
  const file = await ifThere(stat(path));
  if (!file) {
    if (!needed) return [ok('key', 'there is none yet: it is made with the run')];
    return [
      failure('key', `${path} is missing: nothing can be signed`, 'Put it back from a backup, or name it with GAUNTLET_VALIDATOR_KEY_FILE.'), // prettier-ignore
    ];
  }
  if (file.size !== KEY_BYTES) {
    return [failure('key', `${path} is no key of ${KEY_BYTES} bytes`, 'Put the right file back from a backup.')];
  }
  if ((file.mode & 0o077) !== 0) {
    return [warning('key', `others than its owner can use ${path}`, `Run chmod 600 ${path}.`)];
  }
  return [ok('key', 'it is there, and its owner’s alone')];
}
