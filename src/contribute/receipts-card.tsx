/** Window by window what this tab delivered, and what became of it. */
import { t } from '@lingui/core/macro';
import { Plural, Trans } from '@lingui/react/macro';
import { Link } from 'wouter';
import { useContribute } from '../client/app-context.ts';
import { usePeer } from '../client/queries.ts';
import { Badge } from '../ui/badge.tsx';
import { Card } from '../ui/card.tsx';
import { formatBytes, formatSigned } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Scroller } from '../ui/scroller.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import styles from './receipts-card.module.css';
import { outcomeOf, type Outcome } from './outcome.ts';

const MAX_ROWS = 20;

export function ReceiptsCard() {
  const receipts = useContribute((state) => state.receipts);
  const hotkey = useOwnHotkey();
  const peer = usePeer(receipts.length > 0 ? hotkey : undefined).data ?? undefined;
  if (receipts.length === 0) return null;
  return (
    <Card
      title={t`What became of your work`}
      aside={
        <Link href="/scores">
          <Trans>Why your score is what it is</Trans>
        </Link>
      }
    >
      <Scroller label={t`Deliveries of this visit`}>
        <ul className={styles['rows']} data-testid="receipts">
          {receipts.slice(0, MAX_ROWS).map(({ signed, pagesTrained }) => {
            const { window, bytes } = signed.receipt;
            return (
              <li key={window} data-window={window}>
                <span className={styles['window']}>
                  <Trans>Window {window}</Trans>
                </span>
                <span className="soft">
                  <Plural value={pagesTrained} one="# page" other="# pages" />, {formatBytes(bytes)}
                </span>
                <Badge tone="good" title={t`The validator signed that it got it, and when.`}>
                  <Trans>✓ receipt</Trans>
                </Badge>
                <OutcomeWords outcome={outcomeOf(peer, window)} />
              </li>
            );
          })}
        </ul>
      </Scroller>
      {receipts.length > MAX_ROWS && (
        <Notice>
          <Trans>Older ones are on the Scores screen.</Trans>
        </Notice>
      )}
    </Card>
  );
}

function OutcomeWords({ outcome }: { outcome: Outcome }) {
  switch (outcome.kind) {
    case 'pending':
      return (
        <span className="soft">
          <Trans>being judged</Trans>
        </span>
      );
    case 'refused':
      return (
        <Badge tone="bad" title={outcome.reason}>
          <Trans>✕ not counted</Trans>
        </Badge>
      );
    case 'judged':
      return (
        <>
          <span>
            {outcome.gain === undefined ? (
              <Trans>passed, not drawn for scoring</Trans>
            ) : (
              <Trans>scored: {formatSigned(outcome.gain, 4)} nats</Trans>
            )}
          </span>
          {outcome.aggregated ? (
            <Badge tone="accent">
              <Trans>in the model</Trans>
            </Badge>
          ) : (
            <span className="soft">
              <Trans>not in the model</Trans>
            </span>
          )}
        </>
      );
    default:
      return outcome satisfies never;
  }
}
