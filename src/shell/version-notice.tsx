/** Page and validator are of versions that do not understand each other: what to do, in one place. */
import { msg } from '@lingui/core/macro';
import { Trans, useLingui } from '@lingui/react/macro';
import { useState } from 'react';
import { useApp } from '../client/app-context.ts';
import { useOtherVersion, type OtherVersion } from '../client/other-version.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { takeServedVersion } from './updates.ts';

const TITLES = {
  'page-older': msg`This page is older than the validator’s run`,
  'page-newer': msg`This page is newer than the validator’s run`,
  different: msg`This page and the validator are of different versions`,
} as const satisfies Record<OtherVersion, unknown>;

export function VersionNotice() {
  const { i18n, t } = useLingui();
  const { source, parameters } = useApp();
  const version = useOtherVersion();
  const [reloading, setReloading] = useState(false);
  if (!version || source.kind !== 'validator') return null;
  const { validatorUrl } = parameters.start;
  return (
    <Notice
      tone="bad"
      title={i18n._(TITLES[version])}
      action={
        <Button
          data-testid="take-served-version"
          busy={reloading}
          onClick={() => {
            setReloading(true);
            void takeServedVersion();
          }}
        >
          {reloading ? t`Reloading` : t`Reload`}
        </Button>
      }
    >
      <Trans>
        They do not understand each other, so nothing is shown or trained. Reload to get the page as it is served now:
        what was downloaded is kept, and training goes on afterwards. If that changes nothing, whoever runs this site
        has yet to update it.
      </Trans>{' '}
      {new URL(validatorUrl).origin !== location.origin && (
        <a href={validatorUrl}>
          <Trans>Open the validator’s own page</Trans>
        </a>
      )}
    </Notice>
  );
}
