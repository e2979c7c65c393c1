/** Options of the commands that answer requests, `start` and `api`: who may do what, and how often. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ValidatorOptions } from '../serve.ts';

export interface ServingOptions {
  readonly operatorTokenFile?: string;
  readonly trustedProxies?: string;
  readonly joinsPerMinute?: number;
  readonly maxPeers?: number;
  readonly guestsPerAddress?: number;
  readonly guestNewcomers?: number;
  /** Percent of the places. */
  readonly guestShare?: number;
}

/** @param integer parses a whole number in bounds */
export function withServingOptions(
  command: Command,
  integer: (min: number, max: number) => (text: string) => number,
): Command {
  return command
    .addOption(
      new Option('--operator-token-file <file>', 'let in to /metrics whoever has this token, and nobody else').env(
        'GAUNTLET_OPERATOR_TOKEN_FILE',
      ),
    )
    .addOption(
      new Option(
        '--trusted-proxies <networks>',
        'proxies whose X-Forwarded-For is believed, such as 127.0.0.1,10.0.0.0/8',
      ).env('GAUNTLET_TRUSTED_PROXIES'),
    )
    .option('--joins-per-minute <n>', 'joins of one address; 30, and 60 at once', integer(1, 1_000_000))
    .option('--max-peers <n>', 'peers the run admits; 10000', integer(1, 100_000))
    .option('--guests-per-address <n>', 'guests of one address who take part at a time; 40', integer(1, 100_000))
    .option('--guest-newcomers <n>', 'guests who join in one window; 2000', integer(1, 100_000))
    .option('--guest-share <percent>', 'of the places, in a run with a chain; 50', integer(0, 100));
}

export function servingOptions({
  operatorTokenFile,
  trustedProxies,
  joinsPerMinute,
  maxPeers,
  guestsPerAddress,
  guestNewcomers,
  guestShare,
}: ServingOptions): Partial<ValidatorOptions> {
  return {
    ...(operatorTokenFile === undefined ? {} : { operatorTokenFile }),
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    // Twice as many at once as a minute gives back, as without the option.
    ...(joinsPerMinute === undefined ? {} : { joins: { burst: 2 * joinsPerMinute, perMinute: joinsPerMinute } }),
    ...(maxPeers === undefined ? {} : { maxPeers }),
    guests: {
      ...(guestsPerAddress === undefined ? {} : { perAddress: guestsPerAddress }),
      ...(guestNewcomers === undefined ? {} : { newcomers: guestNewcomers }),
      ...(guestShare === undefined ? {} : { share: guestShare / 100 }),
    },
  };
}
