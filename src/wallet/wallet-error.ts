/** What goes wrong with a wallet, as a sentence and a remedy. */
export type WalletErrorKind =
  | 'gone'
  | 'timeout'
  | 'cancelled'
  | 'rejected'
  | 'malformed'
  /** The account or wallet cannot sign texts. */
  | 'cannot-sign';

export class WalletError extends Error {
  override readonly name = 'WalletError';
  readonly kind: WalletErrorKind;
  readonly remedy: string;

  constructor(kind: WalletErrorKind, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.remedy = remedy;
  }
}
