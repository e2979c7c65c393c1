/** A picture of one's contribution: looked at first, then saved, copied or handed on. Nothing is uploaded. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useEffect, useId, useRef, useState } from 'react';
import { saveFile } from '../platform/save-file.ts';
import { Button } from '../ui/button.tsx';
import { CARD_HEIGHT, CARD_WIDTH, layoutCard } from './card-layout.ts';
import { cardInWords, cardTexts } from './card-texts.ts';
import { drawCard } from './draw-card.ts';
import type { CardFacts } from './facts.ts';
import styles from './share-dialog.module.css';
import { canShareFiles, copyImage, copyText, pngOf, shareImage } from './outlets.ts';

const FILE_NAME = 'gauntlet-contribution.png';

export default function ShareDialog({ facts, onClose }: { facts: CardFacts; onClose: () => void }) {
  const { t } = useLingui();
  const dialog = useRef<HTMLDialogElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const title = useId();
  const [told, setTold] = useState<string>();
  const words = cardInWords(facts);
  const message = `${words} ${location.origin}${location.pathname}`;

  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context) drawCard(context, layoutCard(facts, cardTexts(facts)));
  });

  async function attempt(work: (image: HTMLCanvasElement) => Promise<unknown>, done: string): Promise<void> {
    try {
      await work(canvas.current!);
      setTold(done);
    } catch (error) {
      // Who closes the system's own dialog knows it.
      if (error instanceof DOMException && error.name === 'AbortError') return;
      setTold(t`The browser did not allow it. Save the image instead.`);
    }
  }

  return (
    <dialog ref={dialog} className={styles['dialog']} aria-labelledby={title} onClose={onClose}>
      <div className={styles['content']} data-testid="share-dialog">
        <header className={styles['head']}>
          <h2 id={title}>
            <Trans>Share your contribution</Trans>
          </h2>
          <Button kind="quiet" onClick={() => dialog.current?.close()}>
            <Trans>Close</Trans>
          </Button>
        </header>
        <canvas
          ref={canvas}
          className={styles['card']}
          width={CARD_WIDTH}
          height={CARD_HEIGHT}
          role="img"
          aria-label={words}
        />
        <div className={styles['actions']}>
          <Button
            kind="primary"
            data-testid="share-save"
            onClick={() => void attempt(async (image) => saveFile(await pngOf(image), FILE_NAME), t`Saved.`)}
          >
            <Trans>Save the image</Trans>
          </Button>
          <Button onClick={() => void attempt(copyImage, t`The image is copied.`)}>
            <Trans>Copy the image</Trans>
          </Button>
          {canShareFiles() && (
            <Button onClick={() => void attempt((image) => shareImage(image, FILE_NAME, message), t`Shared.`)}>
              <Trans>Share with …</Trans>
            </Button>
          )}
          <Button onClick={() => void attempt(() => copyText(message), t`The text is copied.`)}>
            <Trans>Copy the text</Trans>
          </Button>
        </div>
        <p role="status">{told}</p>
        <div className={styles['words']}>
          <h3>
            <Trans>In words, for those who do not see the image</Trans>
          </h3>
          <p>{words}</p>
        </div>
        <p className={styles['note']}>
          <Trans>
            It is drawn in this tab and sent nowhere. The figures are what the validator published; your key is not on
            it.
          </Trans>
        </p>
      </div>
    </dialog>
  );
}
