/**
 * A tone too low and too quiet to hear. Browsers slow down hidden tabs, to less than half the speed, but not one that plays
 * sound. It is a person's choice, and the browser shows that the tab plays something.
 */
import { useEffect } from 'react';

const HERTZ = 30;
/** Of full volume; zero would count as silence. */
const GAIN = 0.001;

/** Browsers let a page make sound only after a click on it: until then the context waits by itself. */
export function useQuietTone(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return undefined;
    const context = new AudioContext();
    const volume = new GainNode(context, { gain: GAIN });
    const tone = new OscillatorNode(context, { frequency: HERTZ });
    tone.connect(volume).connect(context.destination);
    tone.start();
    const wake = (): void => void context.resume();
    window.addEventListener('pointerdown', wake);
    window.addEventListener('keydown', wake);
    return () => {
      window.removeEventListener('pointerdown', wake);
      window.removeEventListener('keydown', wake);
      void context.close();
    };
  }, [wanted]);
}
