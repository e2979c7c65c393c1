/** Light, dark, or as the system says. */
import { useLingui } from '@lingui/react/macro';
import { Select } from '../ui/select.tsx';
import { useSignal } from './subscribable.ts';
import { applyTheme, themeChoice } from './theme.ts';

export function ThemeChoice() {
  const { t } = useLingui();
  const theme = useSignal(themeChoice);
  return (
    <Select
      label={t`Theme`}
      value={theme}
      options={[
        { value: 'system', name: t`As the system` },
        { value: 'light', name: t`Light` },
        { value: 'dark', name: t`Dark` },
      ]}
      onChange={applyTheme}
    />
  );
}
