/** Which languages the app speaks and where their catalogues lie; `npm run translations` gathers the texts. */
import { defineConfig } from '@lingui/cli';
import { formatter } from '@lingui/format-po';

export default defineConfig({
  sourceLocale: 'en',
  locales: ['en', 'de', 'es'],
  catalogs: [{ path: '<rootDir>/src/i18n/locales/{locale}', include: ['src'], exclude: ['**/*.test.*'] }],
  // Neither lines nor files: a catalogue changes only when a text does.
  format: formatter({ origins: false }),
  orderBy: 'message',
});
