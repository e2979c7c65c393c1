/**
 * Turns off zod's code generation, which the page's policy forbids and whose mere attempt it reports. Schemas decide when
 * they are made, and which module runs first is for the bundler to say: so it is turned off in zod's own module.
 */
import type { Plugin } from 'vite';

const CONFIG = 'export const globalConfig';

export function zodWithoutEval(): Plugin {
  return {
    name: 'zod-without-eval',
    apply: 'build',
    transform: {
      filter: { id: /[/\\]zod[/\\]v4[/\\]core[/\\]core\.js$/ },
      handler(code) {
        if (!code.includes(CONFIG)) this.error('zod has its configuration elsewhere now');
        return { code: `${code}\nglobalConfig.jitless = true;\n`, map: null };
      },
    },
  };
}
