/** What the driving process tells the others, over a channel. */
import * as z from 'zod';
import { PhaseSchema } from '../../../core/protocol/api.ts';
import { WindowSchema } from '../../../core/protocol/primitives.ts';
import type { News, NewsItem } from '../../rounds/follower.ts';
import type { Channel } from './channel.ts';

const NewsSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('clock'), window: WindowSchema, phase: PhaseSchema }),
  z.object({ type: z.literal('window'), window: WindowSchema }),
  z.object({ type: z.literal('leaderboard'), window: WindowSchema }),
]);

/** Another version may say more than this one understands. */
function parseNews(message: string): NewsItem | undefined {
  try {
    return NewsSchema.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}

export function newsOver(channel: Channel): News {
  return {
    publish: (item) => {
      channel.tell(JSON.stringify(item));
    },
    onNews: (listener) =>
      channel.onHeard((message) => {
        const item = parseNews(message);
        if (item) listener(item);
      }),
  };
}
