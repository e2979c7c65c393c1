/** The hash of the build that the site serves, and how anyone comes to it. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { useEffect, useState } from 'react';
import { Identifier } from '../ui/identifier.tsx';
import { checkBuild, type BuildCheck } from './build-check.ts';
import styles from './settings.module.css';

type State = { readonly kind: 'looking' | 'unknown' } | { readonly kind: 'checked'; readonly check: BuildCheck };

const MOST_NAMED = 3;

function useBuild(): State {
  const [state, setState] = useState<State>({ kind: 'looking' });
  useEffect(() => {
    let left = false;
    checkBuild().then(
      (check) => !left && setState(check ? { kind: 'checked', check } : { kind: 'unknown' }),
      () => !left && setState({ kind: 'unknown' }),
    );
    return () => {
      left = true;
    };
  }, []);
  return state;
}

export function BuildRow() {
  const { t } = useLingui();
  const state = useBuild();
  return (
    <div>
      <dt>
        <Trans>Build</Trans>
      </dt>
      {state.kind === 'checked' ? (
        <dd className={styles['build']}>
          <Identifier value={state.check.hash} name={t`the build’s hash`} testId="build-hash" />
          <Verdict foreign={state.check.foreign} />
          <p>
            <Trans>
              The sources come to the same hash on anyone’s machine. There,{' '}
              <code>npm run build:verify -- {document.baseURI.replace(/[?#].*$/, '')}</code> compares every file of this
              site with them.
            </Trans>
          </p>
        </dd>
      ) : (
        <dd data-testid="build-hash">{state.kind === 'looking' ? '…' : t`unknown`}</dd>
      )}
    </div>
  );
}

function Verdict({ foreign }: { readonly foreign: readonly string[] }) {
  if (foreign.length === 0) {
    return (
      <p data-testid="build-verdict">
        <Trans>Everything that this page executes belongs to it.</Trans>
      </p>
    );
  }
  const named = foreign.slice(0, MOST_NAMED).join(', ');
  return (
    <p data-testid="build-verdict" className={styles['foreign']}>
      <Plural
        value={foreign.length}
        one={`One file of this page does not belong to it: ${named}. The site may have a newer version by now: reload the page. If this stays, tell whoever runs the site.`}
        other={`# files of this page do not belong to it, such as ${named}. The site may have a newer version by now: reload the page. If this stays, tell whoever runs the site.`}
      />
    </p>
  );
}
