/** A newer version of the page is there: it is taken when a person says so. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useStore } from 'zustand';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { updates } from './updates.ts';

export function UpdateNotice() {
  const { t } = useLingui();
  const { apply } = useStore(updates);
  if (!apply) return null;
  return (
    <Notice
      title={t`A newer version is ready`}
      action={
        <Button onClick={apply}>
          <Trans>Reload</Trans>
        </Button>
      }
    >
      <Trans>Reload when it suits you: what was downloaded is kept, and training goes on afterwards.</Trans>
    </Notice>
  );
}
