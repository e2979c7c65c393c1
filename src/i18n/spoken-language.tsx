/** Draws its children in the language that is shown, and anew when another is chosen: what is drawn may call Lingui's globals. */
import { i18n } from '@lingui/core';
import { I18nProvider } from '@lingui/react';
import { Fragment, type ReactNode } from 'react';
import { useSignal } from '../platform/subscribable.ts';
import { shownLanguage } from './language.ts';

export function SpokenLanguage({ children }: { children: ReactNode }) {
  const language = useSignal(shownLanguage);
  return (
    <I18nProvider i18n={i18n}>
      <Fragment key={language}>{children}</Fragment>
    </I18nProvider>
  );
}
