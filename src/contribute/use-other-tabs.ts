/** The other tabs of this browser, watched for as long as the page lives. */
import { useStore } from 'zustand';
import { useApp } from '../client/app-context.ts';
import type { Controller } from './controller.ts';
import { describeStatus } from './describe.ts';
import { watchOtherTabs, type OtherTab, type OtherTabs } from './other-tabs.ts';

const watched = new WeakMap<Controller, OtherTabs>();

export function useOtherTabs(): { readonly other: OtherTab; readonly takeOver: () => void } {
  const { controller, parameters } = useApp();
  let tabs = watched.get(controller);
  if (!tabs) {
    tabs = watchOtherTabs({
      validatorUrl: parameters.start.validatorUrl,
      controller,
      describe: ({ status }) => describeStatus(status).headline,
    });
    watched.set(controller, tabs);
  }
  return { other: useStore(tabs.store), takeOver: tabs.takeOver };
}
