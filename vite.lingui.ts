/** Lingui's macros in the app's sources. A plugin of our own, since the one for Vite 8 (@rolldown/plugin-babel) needs Node 22. */
import { transformAsync } from '@babel/core';
import { lingui } from '@lingui/vite-plugin';
import type { Plugin } from 'vite';

/** Turns macros into calls with the message beside its identifier; everything else of TypeScript and JSX stays as it is. */
function linguiMacros(): Plugin {
  return {
    name: 'lingui-macros',
    enforce: 'pre',
    transform: {
      filter: { id: /\/src\/.*\.tsx?$/, code: /@lingui\/(?:core|react)\/macro/ },
      async handler(code, id) {
        const result = await transformAsync(code, {
          filename: id,
          babelrc: false,
          configFile: false,
          sourceMaps: true,
          parserOpts: { plugins: ['typescript', 'jsx'] },
          // English is what the sources say: kept, it needs no catalogue.
          plugins: [['@lingui/babel-plugin-lingui-macro', { stripMessageField: false }]],
        });
        return result?.code ? { code: result.code, map: result.map as never } : null;
      },
    },
  };
}

export const translations = (): Plugin[] => [linguiMacros(), ...lingui()];
