/** The widget for other sites: a run in a small frame. No engine, no wallet, no key. */
import { createValidatorApi } from '../../client/api.ts';
import { startLanguage } from '../i18n/language.ts';
import '../ui/tokens.css';
import '../ui/base.css';
import './embed.css';
import { widgetParameters } from './parameters.ts';
import { NOTHING_YET, refresh } from './source.ts';
import { createView } from './view.ts';

const POLL_MS = 5_000;
const TICK_MS = 1_000;

const { validatorUrl, theme, peer, language } = widgetParameters(location.href);
if (theme !== 'auto') document.documentElement.dataset['theme'] = theme;
await startLanguage(language);

const api = createValidatorApi({ baseUrl: validatorUrl, fetch: (input, init) => fetch(input, init) });
const app = new URL('./', location.href);
if (new URL(validatorUrl).origin !== app.origin) app.searchParams.set('validator', validatorUrl);
const view = createView(document.getElementById('widget')!, app.href);

let state = NOTHING_YET;
view.draw(state);
view.tick(state, Date.now());
setInterval(() => view.tick(state, Date.now()), TICK_MS);

for (;;) {
  // A frame that nobody sees asks nobody.
  if (document.visibilityState === 'visible') {
    const next = await refresh(api, state, peer);
    // Drawn anew only for news: the focus and a selection stay.
    const isNew = next.windows !== state.windows || next.peer !== state.peer || next.reachable !== state.reachable;
    if (isNew || next.clock?.window !== state.clock?.window) view.draw(next);
    state = next;
  }
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
