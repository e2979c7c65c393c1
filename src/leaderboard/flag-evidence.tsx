/** A peer's flags, which open what the validator has against it: the checks it failed, with figures and reasons. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useId, useState } from 'react';
import type { Verdict } from '../../core/protocol/api.ts';
import { usePeer } from '../client/queries.ts';
import { flagName } from '../peers/flag-names.ts';
import { CHECK_NAMES } from '../run/checks.ts';
import { formatFigure } from '../ui/format.ts';
import styles from './flag-evidence.module.css';

const MAX_EVIDENCE = 5;

export function FlagEvidence({ hotkey, flags }: { hotkey: string; flags: readonly string[] }) {
  const { t } = useLingui();
  const id = useId();
  const [open, setOpen] = useState(false);
  const named = flags.map(flagName).join(', ');
  return (
    <>
      <button type="button" className={styles['flags']} popoverTarget={id} aria-label={t`${named}: show why`}>
        <span aria-hidden="true">⚑</span> {named}
      </button>
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={t`Why this peer is flagged`}
        className={styles['popover']}
        onToggle={(event) => setOpen(event.newState === 'open')}
      >
        {open && <Evidence hotkey={hotkey} />}
      </div>
    </>
  );
}

function Evidence({ hotkey }: { hotkey: string }) {
  const peer = usePeer(hotkey);
  if (!peer.data) {
    return (
      <p>
        {peer.isError ? (
          <Trans>The validator does not answer. Close this and try again in a moment.</Trans>
        ) : (
          <Trans>Asking the validator.</Trans>
        )}
      </p>
    );
  }
  const failed = peer.data.verdicts.filter(({ pass }) => !pass).slice(0, MAX_EVIDENCE);
  return (
    <>
      {failed.length === 0 ? (
        <p>
          <Trans>No check that it failed is on record: the flag says how it stands, such as that it is away.</Trans>
        </p>
      ) : (
        <ul>
          {failed.map((verdict) => (
            <Failed key={`${verdict.window} ${verdict.check}`} verdict={verdict} />
          ))}
        </ul>
      )}
      <a href={`#/peers/${hotkey}`}>
        <Trans>All verdicts of this peer</Trans>
      </a>
    </>
  );
}

function Failed({ verdict: { window, check, reason, value, threshold } }: { verdict: Verdict }) {
  const { i18n } = useLingui();
  const name = i18n._(CHECK_NAMES[check]);
  return (
    <li>
      <strong>
        <Trans>
          Window {window}: {name}
        </Trans>
      </strong>
      <span lang="en">{reason}</span>
      {value !== null && threshold !== null && (
        <span className="soft">
          <Trans>
            measured {formatFigure(value)}, limit {formatFigure(threshold)}
          </Trans>
        </span>
      )}
    </li>
  );
}
