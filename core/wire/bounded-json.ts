/**
 * JSON of strangers that may be long. A parser takes some forty bytes for each bracket that it opens, so that a text of
 * brackets alone unfolds to many times its size: it is counted before it is parsed.
 */

/** Nothing of the protocol is nested deeper than a dozen levels. */
const MAX_DEPTH = 64;
/** A list or an object takes about as much memory as so many numbers. */
const CONTAINER_WEIGHT = 8;
/** What half a gibibyte of an honest recording comes to. */
const MAX_WEIGHT = 2 ** 26;
/** A text this short does no harm, whatever is in it. */
const HARMLESS_BYTES = 2 ** 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = [0x5b, 0x7b] as const;
const CLOSING = [0x5d, 0x7d] as const;

/** @throws SyntaxError for a text whose value would be deeper or larger than anything of ours */
function assertModest(json: Uint8Array): void {
  let depth = 0;
  let weight = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]!;
    if (quoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === COMMA) weight++;
    else if (byte === OPENING[0] || byte === OPENING[1]) {
      weight += CONTAINER_WEIGHT;
      if (++depth > MAX_DEPTH) throw new SyntaxError(`the JSON is nested deeper than ${MAX_DEPTH} levels`);
    } else if (byte === CLOSING[0] || byte === CLOSING[1]) depth--;
  }
  if (weight > MAX_WEIGHT) throw new SyntaxError('the JSON holds more values than can be kept in memory');
}

/**
 * The value of a JSON text in UTF-8.
 *
 * @throws SyntaxError for what is no JSON, or would take many times its size; TypeError for what is no UTF-8
 */
export function parseBoundedJson(json: Uint8Array): unknown {
  if (json.length > HARMLESS_BYTES) assertModest(json);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
}
