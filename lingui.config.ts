/** Which languages the app speaks and where their catalogues lie; `npm run translations` gathers the texts. */
import { defineConfig } from '@lingui/cli';
import { formatter } from '@lingui/format-po';

/** The check of scripts/translations.mjs gathers into a folder of its own. */
const FOLDER = process.env['GAUNTLET_CATALOGUES'] ?? '<rootDir>/src/i18n/locales';

export default defineConfig({
  sourceLocale: 'en',
  locales: ['en', 'de', 'es'],
  catalogs: [{ path: `${FOLDER}/{locale}`, include: ['src'], exclude: ['**/*.test.*'] }],
  // Neither lines nor files: a catalogue changes only when a text does.
  format: formatter({ origins: false }),
  orderBy: 'message',
});
