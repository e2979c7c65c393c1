/**
 * onnxruntime-web's script and module, downloaded once, compared with the hashes that the build knew, and handed to the
 * runtime as they are in memory. A hash of the whole needs the whole, so the module is not compiled while it arrives.
 */
import type { Env } from 'onnxruntime-web';
import { absolute } from './address.ts';
import { checkedBytes } from './checked-bytes.ts';

export interface RuntimeFile {
  readonly url: string;
  /** As `checkedBytes` takes it. */
  readonly integrity: string;
}

export interface RuntimeFiles {
  /** The script, which the runtime's threads run too. */
  readonly mjs: RuntimeFile;
  readonly wasm: RuntimeFile;
}

/** Addresses of scripts that were checked. */
const checked = new Set<string>();
let guarded = false;

/**
 * The runtime starts its threads by a text, where the page's policy (require-trusted-types-for) wants to know who vouches
 * for it: this does, for the scripts that were checked, and for nothing else.
 */
function admitChecked(): void {
  if (guarded) return;
  guarded = true;
  // As in a window; the types know it of windows alone.
  const { trustedTypes } = globalThis as Pick<Window, 'trustedTypes'>;
  trustedTypes?.createPolicy('default', {
    createScriptURL(url) {
      if (!checked.has(url)) throw new TypeError(`${url} is no script that was checked.`);
      return url;
    },
  });
}

const prepared = new WeakMap<Env, Promise<void>>();

async function load(env: Env, { mjs, wasm }: RuntimeFiles): Promise<void> {
  // The development server rewrites scripts, so their hashes are not those of the files.
  if (import.meta.env.DEV) {
    env.wasm.wasmPaths = { mjs: absolute(mjs.url), wasm: absolute(wasm.url) };
    return;
  }
  const [script, module] = await Promise.all([
    checkedBytes(absolute(mjs.url), mjs.integrity),
    checkedBytes(absolute(wasm.url), wasm.integrity),
  ]);
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  checked.add(address);
  admitChecked();
  env.wasm.wasmPaths = { mjs: address };
  env.wasm.wasmBinary = module;
}

/**
 * Before a runtime's first session; worker only.
 *
 * @throws AlteredFileError, or an Error when a file cannot be had
 */
export function prepareRuntime(env: Env, files: RuntimeFiles): Promise<void> {
  const known = prepared.get(env);
  if (known) return known;
  const preparing = load(env, files);
  prepared.set(env, preparing);
  // What failed may work the next time.
  preparing.catch(() => prepared.delete(env));
  return preparing;
}
