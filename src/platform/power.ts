/** Whether this device runs on its battery. */
import { createSignal } from './subscribable.ts';

/** Chromium's Battery Status API; other browsers do not say. */
interface BatteryLike extends EventTarget {
  readonly charging: boolean;
}

let battery: BatteryLike | undefined;

/** Undefined where the browser does not say. */
export const onBattery = createSignal<boolean | undefined>(
  () => battery && !battery.charging,
  (changed) => {
    let gone = false;
    const listen = (found: BatteryLike): void => {
      battery = found;
      if (gone) return;
      found.addEventListener('chargingchange', changed);
      changed();
    };
    const { getBattery } = navigator as { getBattery?: () => Promise<BatteryLike> };
    getBattery?.call(navigator).then(listen, () => undefined);
    return () => {
      gone = true;
      battery?.removeEventListener('chargingchange', changed);
    };
  },
);

export const batteryIsKnown = (): boolean => 'getBattery' in navigator;
