/** No validator: what to do, in one place instead of in every panel. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useApp } from '../client/app-context.ts';
import { otherVersionOf } from '../client/other-version.ts';
import { useClock, useRun, useUnreachable } from '../client/queries.ts';
import { sentence } from '../ui/failure-words.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';

export function UnreachableNotice() {
  const { source, parameters } = useApp();
  const { validatorUrl } = parameters.start;
  const clock = useClock();
  const run = useRun();
  const failure = useUnreachable() ?? run.error;
  // A replay that cannot be shown says so itself, and another version has a notice of its own.
  if (!failure || source.kind === 'replay' || otherVersionOf(failure)) return null;
  const retry = (): void => {
    void clock.refetch();
    void run.refetch();
  };
  return (
    <Notice
      tone="bad"
      title={t`No answer from ${new URL(validatorUrl).host}`}
      action={
        <Button onClick={retry}>
          <Trans>Try now</Trans>
        </Button>
      }
    >
      <Trans>
        <span lang="en">{sentence(failure.message)}</span> Check that the validator is running and that you are online.
        This page asks again by itself.
      </Trans>{' '}
      {source.kind === 'validator' && (
        <a href="?replay">
          <Trans>Watch a recorded run meanwhile</Trans>
        </a>
      )}
    </Notice>
  );
}
