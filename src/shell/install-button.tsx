/** Installs the page as an app, where the browser can; says how elsewhere. */
import { Trans } from '@lingui/react/macro';
import { useStore } from 'zustand';
import { Button } from '../ui/button.tsx';
import { installation } from './installation.ts';

export function InstallButton() {
  const { install } = useStore(installation);
  if (matchMedia('(display-mode: standalone)').matches) {
    return (
      <p className="soft">
        <Trans>This page is installed: it has a window of its own.</Trans>
      </p>
    );
  }
  return install ? (
    <Button onClick={() => void install()}>
      <Trans>Install as an app</Trans>
    </Button>
  ) : (
    <p className="soft">
      <Trans>To install this page as an app, use “Install” or “Add to home screen” in your browser’s menu.</Trans>
    </p>
  );
}
