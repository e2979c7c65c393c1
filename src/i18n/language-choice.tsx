/** Which language the page speaks. */
import { useLingui } from '@lingui/react/macro';
import { useSignal } from '../platform/subscribable.ts';
import { Select } from '../ui/select.tsx';
import { chooseLanguage, LANGUAGES, shownLanguage, type Language } from './language.ts';

const OPTIONS = (Object.keys(LANGUAGES) as Language[]).map((value) => ({
  value,
  name: LANGUAGES[value],
  lang: value,
}));

export function LanguageChoice() {
  const { t } = useLingui();
  const language = useSignal(shownLanguage);
  return (
    <Select label={t`Language`} value={language} options={OPTIONS} onChange={(chosen) => void chooseLanguage(chosen)} />
  );
}
