/** A peer by the name that a demonstration gives it, else by the ends of its hotkey; leads to its page. */
import { useStore } from 'zustand';
import { useApp } from '../client/app-context.ts';
import { shorten } from '../ui/format.ts';

export function usePeerName(hotkey: string): string | undefined {
  return useStore(useApp().source.labels, (labels) => labels.get(hotkey)?.name);
}

export function PeerLink({ hotkey }: { hotkey: string }) {
  const name = usePeerName(hotkey);
  return (
    <a href={`#/peers/${hotkey}`} title={hotkey}>
      {name ?? <code>{shorten(hotkey)}</code>}
    </a>
  );
}
