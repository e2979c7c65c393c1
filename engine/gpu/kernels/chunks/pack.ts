/**
 * Writes the part of a body that follows the quantiser, a word a thread: the fast path of `encodeBody`
 * (core/scheme/decoupled-momentum/body.ts). Tensors' parts begin anywhere, so a thread asks for each byte what it is.
 */
import type { ChunkGrid } from '../../../../core/numerics/chunks.ts';
import { packedBytes } from '../../../../core/numerics/pack.ts';
import { QUANTISER_BYTES } from '../../../../core/scheme/decoupled-momentum/body.ts';

export const PACK_THREADS = 256;

/** [sections, 4]: first byte in the body, first pick, picks, and whether these are the codes or the indices. */
export function packSections(grids: readonly ChunkGrid[]): Uint32Array<ArrayBuffer> {
  let byte = QUANTISER_BYTES;
  let pick = 0;
  const sections = grids.flatMap(({ count, kept }) => {
    const picks = count * kept;
    const indices = [byte, pick, picks, 0];
    const codes = [byte + packedBytes(picks), pick, picks, 1];
    byte += packedBytes(picks) + picks;
    pick += picks;
    return [...indices, ...codes];
  });
  return Uint32Array.from(sections);
}

/** @param words of the body, its last one padded with zeros */
export function packCode(sections: number, words: number): string {
  return /* wgsl */ `
@group(0) @binding(0) var<storage, read> picks: array<u32>;
@group(0) @binding(1) var<storage, read> sections: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> body: array<u32>;

fn index_of(section: vec4<u32>, i: u32) -> u32 {
  return select(0u, picks[section.y + i] & 0xffffu, i < section.z);
}

fn byte_of(section: vec4<u32>, byte: u32) -> u32 {
  if (section.w == 1u) {
    return select(0u, picks[section.y + byte] >> 16u, byte < section.z);
  }
  let pair = 2u * (byte / 3u);
  let twelve = index_of(section, pair) | (index_of(section, pair + 1u) << 12u);
  return extractBits(twelve, 8u * (byte % 3u), 8u);
}

fn section_at(byte: u32) -> vec4<u32> {
  var low = 0u;
  var high = ${sections}u;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (sections[middle].x <= byte) { low = middle; } else { high = middle; }
  }
  return sections[low];
}

@compute @workgroup_size(${PACK_THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var at = ${QUANTISER_BYTES / 4}u + id.x; at < ${words}u; at += groups.x * ${PACK_THREADS}u) {
    var word = 0u;
    for (var i = 0u; i < 4u; i++) {
      let section = section_at(4u * at + i);
      word |= byte_of(section, 4u * at + i - section.x) << (8u * i);
    }
    body[at] = word;
  }
}
`;
}
