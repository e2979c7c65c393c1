/** The last resort: a part of the app that cannot be drawn says so instead of leaving an empty page. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { Component, type ReactNode } from 'react';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';

/** What Chromium, Firefox and Safari say of a script that they did not get, or did not take. */
const NOT_LOADED = /dynamically imported module|Importing a module script failed/i;

export class ErrorBoundary extends Component<{ children: ReactNode }, { message: string | undefined }> {
  override state: { message: string | undefined } = { message: undefined };

  static getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    if (this.state.message === undefined) return this.props.children;
    const refused = NOT_LOADED.test(this.state.message);
    return (
      <Notice
        tone="bad"
        title={refused ? t`A part of this page did not load` : t`This page failed`}
        action={
          <Button onClick={() => location.reload()}>
            <Trans>Reload</Trans>
          </Button>
        }
      >
        {refused ? (
          <Trans>
            The connection may have failed, the site may have a newer version, or the file is not the one that this page
            was built with and was not run. Reload the page; if it happens again, tell whoever runs this site:{' '}
            {this.state.message}
          </Trans>
        ) : (
          <Trans>Reload it; what was downloaded is kept. If it happens again, report this: {this.state.message}</Trans>
        )}
      </Notice>
    );
  }
}
