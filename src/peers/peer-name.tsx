/** A peer as people know it: its name where it has one, its shortened hotkey, and the way to its profile. */
import { Link } from 'wouter';
import { usePeerLabels } from '../client/app-context.ts';
import { Badge } from '../ui/badge.tsx';
import { shorten } from '../ui/format.ts';

export function PeerName({ hotkey }: { hotkey: string }) {
  const label = usePeerLabels().get(hotkey);
  return (
    <>
      <Link href={`/peers/${hotkey}`} title={hotkey}>
        {label ? label.name : <code>{shorten(hotkey)}</code>}
      </Link>
      {label && <Badge>{label.kind}</Badge>}
    </>
  );
}
