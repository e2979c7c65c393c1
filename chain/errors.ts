/** What goes wrong with a chain, in words. */

export type ChainErrorKind =
  /** No endpoint answers, or not in time: try again. */
  | 'unreachable'
  /** The endpoint serves another chain than was asked for. */
  | 'wrong-chain'
  | 'no-such-subnet'
  /** The runtime lacks what is needed. */
  | 'unsupported'
  /** The chain refused a transaction. */
  | 'refused'
  /** Nobody signed: the wallet said no, or is locked. */
  | 'not-signed'
  /** What was to be sent is not well-formed. */
  | 'invalid';

/** A sentence for a person, and what they can do. */
export class ChainError extends Error {
  override readonly name = 'ChainError';
  readonly kind: ChainErrorKind;
  readonly remedy: string;

  constructor(kind: ChainErrorKind, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.remedy = remedy;
  }
}
