/**
 * Writes Elias-Fano indices and codes of few bits, a thread a kept value: the fast path of the last part of `encodeBody`
 * (core/scheme/sparseloco/body.ts). Every value sets bits of its own, so their order does not matter.
 */
import type { ChunkGrid } from '../../../../core/numerics/chunks.ts';
import type { BodyLayout } from '../../../../core/scheme/sparseloco/body.ts';

export const PACK_THREADS = 256;

/** [tensors, 6]: first pick, kept a chunk, low bits, then in bits: the first index, those of a chunk, the first code. */
export function sparseSections(grids: readonly ChunkGrid[], layout: BodyLayout): Uint32Array<ArrayBuffer> {
  let pick = 0;
  const sections = grids.flatMap(({ count, kept, length }, tensor) => {
    const { indices, indexBytes, codes } = layout.tensors[tensor]!;
    // The largest l with kept · 2^l ≤ length.
    const lowBits = 31 - Math.clz32(length / kept);
    const section = [pick, kept, lowBits, 8 * indices, 8 * indexBytes, 8 * codes];
    pick += count * kept;
    return section;
  });
  return Uint32Array.from(sections);
}

/** @param count of all picks @param codeBits 2, 4 or 8: a code lies in one word */
export function packSparseCode(tensors: number, count: number, codeBits: number): string {
  return /* wgsl */ `
struct Section {
  first_pick: u32,
  kept: u32,
  low_bits: u32,
  indices: u32,
  index_bits: u32,
  codes: u32,
}

@group(0) @binding(0) var<storage, read> picks: array<u32>;
@group(0) @binding(1) var<storage, read> sections: array<Section>;
@group(0) @binding(2) var<storage, read_write> body: array<atomic<u32>>;

fn section_of(pick: u32) -> Section {
  var low = 0u;
  var high = ${tensors}u;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (sections[middle].first_pick <= pick) { low = middle; } else { high = middle; }
  }
  return sections[low];
}

fn write_bits(at: u32, value: u32) {
  let shift = at & 31u;
  atomicOr(&body[at >> 5u], value << shift);
  if (shift > 0u && (value >> (32u - shift)) != 0u) { atomicOr(&body[(at >> 5u) + 1u], value >> (32u - shift)); }
}

@compute @workgroup_size(${PACK_THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var pick = id.x; pick < ${count}u; pick += groups.x * ${PACK_THREADS}u) {
    let section = section_of(pick);
    let number = pick - section.first_pick;
    let index = picks[pick] & 0xffffu;
    write_bits(section.codes + number * ${codeBits}u, picks[pick] >> 16u);
    // A chunk that is sent whole has no indices.
    if (section.index_bits > 0u) {
      let i = number % section.kept;
      let first = section.indices + number / section.kept * section.index_bits;
      write_bits(first + i * section.low_bits, extractBits(index, 0u, section.low_bits));
      write_bits(first + section.kept * section.low_bits + (index >> section.low_bits) + i, 1u);
    }
  }
}
`;
}
