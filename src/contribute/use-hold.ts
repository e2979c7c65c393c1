/** Keeps the controller's hold what the rules and this device's state make of it. */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { useApp } from '../client/app-context.ts';
import { onBattery } from '../platform/power.ts';
import { preferences } from '../platform/preferences.ts';
import { nowMs } from '../platform/signals.ts';
import { useSignal } from '../platform/subscribable.ts';
import { holdOf } from './hold.ts';

const MINUTE_MS = 60_000;

export function useHold(): void {
  const { controller } = useApp();
  const { onlyOnPower, scheduled, schedule } = useStore(preferences);
  const battery = useSignal(onBattery);
  const minute = Math.floor(useSignal(nowMs) / MINUTE_MS);
  useEffect(() => {
    const rules = { onlyOnPower, schedule: scheduled ? schedule : undefined };
    controller.setHold(holdOf(rules, { onBattery: battery, now: new Date(minute * MINUTE_MS) }));
  }, [controller, onlyOnPower, scheduled, schedule, battery, minute]);
}
