/** The pages of a window's assignment: fetched a few ahead of the training that eats them. */
import { decodePage, decodePageIndex, pageBytes, pageFormat } from '../core/data/pages.ts';
import type { RunManifest } from '../core/protocol/manifest.ts';
import type { ValidatorApi } from './api.ts';
import { cachedBlob } from './cached-blob.ts';
import type { BlobCache } from './ports.ts';

const PREFETCHED_PAGES = 6;

export interface Page {
  /** Number in the run's page index. */
  readonly number: number;
  readonly sha256: string;
  /** [pageSequences * contextLength] token ids. */
  readonly tokens: Int32Array;
}

export interface PageSource {
  /** Pages that are assigned, i.e. not held out. */
  readonly trainPages: number;
  /** The pages in order, downloaded ahead of their use. */
  stream(numbers: readonly number[], signal: AbortSignal): AsyncGenerator<Page, void, undefined>;
}

/** Loads the page index (from the cache where it is held). */
export async function openPageSource(
  manifest: RunManifest,
  api: ValidatorApi,
  cache: BlobCache,
  signal: AbortSignal,
): Promise<PageSource> {
  const { data } = manifest;
  const index = await cachedBlob({ api, cache }, 'page-index', data.index, signal);
  const hashes = decodePageIndex(index, data.pages);
  const format = pageFormat(manifest);

  async function load(number: number, abort: AbortSignal): Promise<Page> {
    const sha256 = hashes[number]!;
    // Pages change with every window: keeping them would only fill the store.
    const bytes = await api.blob({ sha256, bytes: pageBytes(format) }, abort);
    return { number, sha256, tokens: decodePage(bytes, format) };
  }

  return {
    trainPages: data.pages - data.heldOutPages,
    async *stream(numbers, abort) {
      const ahead: Promise<Page>[] = [];
      let next = 0;
      const fill = (): void => {
        while (ahead.length < PREFETCHED_PAGES && next < numbers.length) {
          const page = load(numbers[next++]!, abort);
          // Awaited in turn below; a page that fails before its turn must not count as unhandled.
          page.catch(() => undefined);
          ahead.push(page);
        }
      };
      fill();
      for (let page = ahead.shift(); page; page = ahead.shift()) {
        fill();
        yield await page;
      }
    },
  };
}
