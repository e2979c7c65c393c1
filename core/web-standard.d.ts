/**
 * The few web-standard globals that every runtime of ours has (window, worker, Node 20): `core/` is compiled
 * without DOM and Node types, so whatever is not listed here cannot be used in it by accident.
 */
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: ArrayBufferView | ArrayBuffer): string;
}
