/** The page's entry: wires the services together and renders the app. Nothing is downloaded or trained from here. */
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createValidatorApi } from '../client/api.ts';
import { App } from './app.tsx';
import { AppContext } from './client/app-context.ts';
import { createLive } from './client/live.ts';
import { parseParameters, type PageParameters } from './client/parameters.ts';
import { createQueryClient } from './client/queries.ts';
import { openSource } from './client/source.ts';
import { createController } from './contribute/controller.ts';
import { logContributor } from './contribute/log-contributor.ts';
import { logUncaught } from './platform/log.ts';
import { rememberedThrottle } from './platform/remembered-throttle.ts';
import { startLanguage } from './i18n/language.ts';
import { SpokenLanguage } from './i18n/spoken-language.tsx';
import { tabHidden } from './platform/signals.ts';
import { requireStylesheet } from './platform/stylesheet.ts';
import { applyTheme } from './platform/theme.ts';
import { followInstallation } from './shell/installation.ts';
import { startUpdates } from './shell/updates.ts';
import { ErrorBoundary } from './ui/error-boundary.tsx';
import { startWorker } from '../workers/start-worker.ts';
import trainer from '../workers/trainer.ts?worker&url';
import './ui/tokens.css';
import './ui/base.css';

requireStylesheet();
applyTheme();
followInstallation();

// Before anything is said: what the address bar asks for may be impossible.
await startLanguage();
const asked = parseParameters(location.href);
const source = await openSource(asked.source);
const { validatorUrl } = source;
const parameters: PageParameters = { ...asked, start: { ...asked.start, validatorUrl } };
const queryClient = createQueryClient();
const live = createLive(validatorUrl, source.createEventSource);
const services = {
  source,
  api: createValidatorApi({ baseUrl: validatorUrl, fetch: source.fetch }),
  live,
  controller: createController({
    // What the address bar asks for goes before what was chosen last time.
    start: { throttlePercent: rememberedThrottle(), ...parameters.start },
    startWith: source.trainerOptions,
    recycleWindows: parameters.recycleWindows,
    isHidden: tabHidden.get,
    spawn: () => startWorker(trainer, 'trainer'),
  }),
  parameters,
};
// For as long as the page lives.
live.follow(queryClient);
logUncaught();
logContributor(services.controller.store);

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <SpokenLanguage>
      <ErrorBoundary>
        <QueryClientProvider client={queryClient}>
          <AppContext value={services}>
            <App />
          </AppContext>
        </QueryClientProvider>
      </ErrorBoundary>
    </SpokenLanguage>
  </StrictMode>,
);
startUpdates();
