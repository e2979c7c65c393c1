/** Whether this page and its validator understand each other: stream, clock, protocol, chain. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useApp, useLive } from '../client/app-context.ts';
import { useClock, useManifest, useUnreachable } from '../client/queries.ts';
import { Badge } from '../ui/badge.tsx';
import { Card } from '../ui/card.tsx';
import { formatDecimal, formatInteger, formatSigned } from '../ui/format.ts';
import { Identifier } from '../ui/identifier.tsx';
import styles from './facts.module.css';

/** Beyond that, deadlines on this page are what the validator's clock says and not this machine's. */
const CLOCK_IS_OFF_MS = 2_000;

export function StatusCard() {
  const { t } = useLingui();
  const { source } = useApp();
  const manifest = useManifest();
  const clock = useClock().data;
  const unreachable = useUnreachable() !== undefined;
  return (
    <Card title={t`Status`} aside={unreachable ? <Badge tone="bad">{t`no answer`}</Badge> : <StreamBadge />}>
      <dl className={styles['facts']}>
        <dt>
          <Trans>Validator</Trans>
        </dt>
        <dd>
          {source.kind === 'demo' ? <Trans>in this tab: a demonstration</Trans> : new URL(source.validatorUrl).host}
        </dd>
        <dt>
          <Trans>Protocol</Trans>
        </dt>
        <dd>{manifest && <Trans>version {manifest.protocol}</Trans>}</dd>
        <dt>
          <Trans>Clock</Trans>
        </dt>
        <dd>
          <ClockOffset />
        </dd>
        <dt>
          <Trans>Chain</Trans>
        </dt>
        <dd>
          {manifest?.chain ? (
            <Trans>
              subnet {manifest.chain.netuid}, <a href="#/rewards">its figures</a>
            </Trans>
          ) : (
            <Trans>none: scores and weights are this run’s own</Trans>
          )}
          {clock?.blocks?.head != null && (
            <>
              {' '}
              <Trans>(block {formatInteger(clock.blocks.head)})</Trans>
            </>
          )}
        </dd>
        <dt>
          <Trans>Run</Trans>
        </dt>
        <dd>{clock && <Identifier value={clock.run} name={t`the run’s name`} />}</dd>
        <dt>
          <Trans>State root</Trans>
        </dt>
        <dd>{clock && <Identifier value={clock.stateRoot} name={t`the state root`} />}</dd>
      </dl>
    </Card>
  );
}

function StreamBadge() {
  const { t } = useLingui();
  const stream = useLive((state) => state.stream);
  const words = { live: t`live`, connecting: t`connecting`, lost: t`asking every two seconds` };
  return <Badge tone={stream === 'live' ? 'good' : 'warn'}>{words[stream]}</Badge>;
}

function ClockOffset() {
  const offsetMs = useLive((state) => state.offsetMs);
  const seconds = formatSigned(offsetMs / 1_000, 1);
  if (Math.abs(offsetMs) < CLOCK_IS_OFF_MS) {
    return <Trans>agrees with this machine’s ({seconds} s)</Trans>;
  }
  const off = formatDecimal(Math.abs(offsetMs) / 1_000, 1);
  return offsetMs > 0 ? (
    <Trans>{off} s ahead of this machine’s; deadlines here follow the validator’s</Trans>
  ) : (
    <Trans>{off} s behind this machine’s; deadlines here follow the validator’s</Trans>
  );
}
