/** The widget as it will look on another site, and the line of HTML that puts it there. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useState } from 'react';
import { useApp } from '../client/app-context.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Select } from '../ui/select.tsx';
import { useOwnHotkey } from '../wallet/use-identity.ts';
import { widgetUrl, type WidgetParameters } from './parameters.ts';
import styles from './snippet-card.module.css';

const SIZE = { width: 380, height: 260 };

export function SnippetCard() {
  const { t } = useLingui();
  const { validatorUrl } = useApp().parameters.start;
  const own = useOwnHotkey();
  const [theme, setTheme] = useState<WidgetParameters['theme']>('auto');
  const [withRank, setWithRank] = useState(false);
  const [told, setTold] = useState<string>();
  const url = widgetUrl(location.href, { validatorUrl, theme, peer: withRank ? own : undefined });
  const html = `<iframe src="${url.replaceAll('&', '&amp;')}" title="Gauntlet" width="${SIZE.width}" height="${SIZE.height}" loading="lazy" style="border:0"></iframe>`;

  const copy = (): void => {
    // Absent outside secure contexts, whatever the types say.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    const refused = (): void => setTold(t`The browser did not allow it: select the text and copy it.`);
    if (clipboard) clipboard.writeText(html).then(() => setTold(t`Copied.`), refused);
    else refused();
  };

  return (
    <Card
      title={t`Show this run on your site`}
      intro={t`A small frame with the run’s loss, window and peers. It computes nothing and holds no key.`}
    >
      <div className={styles['pair']}>
        <div className={styles['stack']}>
          <p className={styles['choices']}>
            <Trans>Theme:</Trans>{' '}
            <Select
              label={t`Theme of the widget`}
              value={theme}
              options={[
                { value: 'auto', name: t`As the visitor’s system` },
                { value: 'light', name: t`Light` },
                { value: 'dark', name: t`Dark` },
              ]}
              onChange={setTheme}
            />
            <label>
              <input
                type="checkbox"
                checked={withRank}
                disabled={own === undefined}
                onChange={(event) => setWithRank(event.target.checked)}
              />{' '}
              <Trans>with my rank</Trans>
            </label>
          </p>
          <textarea
            className={styles['html']}
            aria-label={t`HTML for your site`}
            data-testid="embed-html"
            readOnly
            rows={5}
            value={html}
            onFocus={(event) => event.target.select()}
          />
          <p className={styles['choices']}>
            <Button onClick={copy}>
              <Trans>Copy</Trans>
            </Button>
            <span role="status">{told}</span>
          </p>
        </div>
        <iframe className={styles['preview']} src={url} title={t`Preview of the widget`} loading="lazy" {...SIZE} />
      </div>
    </Card>
  );
}
