/** Who a request comes from, as far as that can be known. */
export interface Caller {
  /** What is counted by: an IPv4 address, or the network of 64 bits of an IPv6 address. */
  readonly address: string;
  /** A process of this very machine, and not a proxy on it: the operator's own. */
  readonly local: boolean;
}
