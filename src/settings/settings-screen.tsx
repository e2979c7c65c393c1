/** What a person chose on this device. */
import { Trans, useLingui } from '@lingui/react/macro';
import { LanguageChoice } from '../i18n/language-choice.tsx';
import { ThemeChoice } from '../platform/theme-choice.tsx';
import { Card } from '../ui/card.tsx';

export default function SettingsScreen() {
  const { t } = useLingui();
  return (
    <Card title={t`Appearance`}>
      <p>
        <Trans>Language:</Trans> <LanguageChoice />
      </p>
      <p>
        <Trans>Theme:</Trans> <ThemeChoice />
      </p>
    </Card>
  );
}
