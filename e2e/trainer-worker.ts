/** Which of a page's workers trains. It runs from bytes that were checked, so it goes by its name and not by its address. */
import type { Page, Worker } from '@playwright/test';

/** As the page names it. */
export const TRAINER = 'trainer';

/** @param found is told of each worker that trains, from now on */
export function onTrainer(page: Page, found: (worker: Worker) => void): void {
  page.on('worker', (worker) => {
    worker.evaluate<unknown>('name').then(
      (name) => {
        // The runtime's threads are workers too.
        if (name === TRAINER) found(worker);
      },
      // It ended before it could be asked.
      () => undefined,
    );
  });
}
