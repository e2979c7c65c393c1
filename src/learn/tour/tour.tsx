/** A walk over what is happening in this run right now, a page a step. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useEffect, useRef, type ComponentType, type KeyboardEvent, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Term } from '../term.tsx';
import {
  EvaluationFigure,
  ModelFigure,
  PeersFigure,
  RatingFigure,
  UploadFigure,
  WeightFigure,
  WindowFigure,
} from './steps.tsx';
import styles from './tour.module.css';

interface Step {
  readonly title: ReactNode;
  readonly text: ReactNode;
  readonly figure: ComponentType;
}

function steps(): readonly Step[] {
  return [
    {
      title: <Trans>Everybody works in rounds</Trans>,
      text: (
        <Trans>
          A round is called a <Term name="window">window</Term>. All tabs begin it with the same language model, train,
          and upload what they found at the same time. Then it is judged, and the best of it becomes the next model.
        </Trans>
      ),
      figure: WindowFigure,
    },
    {
      title: <Trans>Your tab is one of many</Trans>,
      text: (
        <Trans>
          It is given <Term name="page">pages</Term> of text that nobody could choose, and computes on your device how
          the model should change to predict them better: a <Term name="pseudo-gradient">pseudo-gradient</Term>. No
          account is needed, and nothing about you is sent.
        </Trans>
      ),
      figure: PeersFigure,
    },
    {
      title: <Trans>Only the strongest parts are sent</Trans>,
      text: (
        <Trans>
          A <Term name="contribution">contribution</Term> holds the few values that matter most, each in a few{' '}
          <Term name="quantisation">bits</Term>, so a home connection is enough. What is left out is{' '}
          <Term name="momentum">remembered</Term> and goes later. A <Term name="receipt">receipt</Term> proves that you
          delivered.
        </Trans>
      ),
      figure: UploadFigure,
    },
    {
      title: <Trans>What it helps is measured</Trans>,
      text: (
        <Trans>
          The <Term name="validator">validator</Term> applies a contribution and measures the model’s{' '}
          <Term name="loss">loss</Term> before and after, where lower is better. It does so on the peer’s own pages and
          on random ones: who helps more on its own pages has <Term name="proof-of-computation">really trained</Term> on
          them.
        </Trans>
      ),
      figure: EvaluationFigure,
    },
    {
      title: <Trans>Many measurements make a rating</Trans>,
      text: (
        <Trans>
          One measurement is partly luck. So peers are <Term name="rating">rated</Term> as chess players are: each
          window is a match. The band shows how <Term name="sigma">unsure</Term> the rating still is, the upright mark
          the <Term name="ordinal">cautious reading</Term> that counts.
        </Trans>
      ),
      figure: RatingFigure,
    },
    {
      title: <Trans>The score is a product, the weight a share</Trans>,
      text: (
        <Trans>
          The <Term name="peer-score">peer score</Term> is the cautious rating, times the proof of computation, times
          how well the peer keeps <Term name="sync-score">in sync</Term>, times its <Term name="gate">gate</Term>. One
          zero makes it zero. The <Term name="weight">weight</Term> is a peer’s share of all.
        </Trans>
      ),
      figure: WeightFigure,
    },
    {
      title: <Trans>The best become the next model</Trans>,
      text: (
        <Trans>
          The best contributions are <Term name="aggregation">put together</Term> into one{' '}
          <Term name="outer-step">step</Term> that everybody applies. Your tab computes the model’s{' '}
          <Term name="state-root">fingerprint</Term> itself, so nobody has to be believed. Then the next window begins.
        </Trans>
      ),
      figure: ModelFigure,
    },
  ];
}

/** @param number the step's, from 1; one that there is not is the nearest */
export function Tour({ number }: { number: number }) {
  const { t } = useLingui();
  const [, navigate] = useLocation();
  const heading = useRef<HTMLHeadingElement>(null);
  const all = steps();
  const at = Math.min(Math.max(1, number), all.length);
  const { title, text, figure: Figure } = all[at - 1]!;
  const shown = useRef<number>(undefined);

  useEffect(() => {
    // A screen reader goes on at the new step; a page that was opened at one begins at its top.
    if (shown.current !== undefined && shown.current !== at) heading.current?.focus();
    shown.current = at;
  }, [at]);

  // Replaced, so that Back leaves the tour and does not walk through it.
  const go = (step: number): void => navigate(`/learn/tour/${step}`, { replace: true });
  const onKey = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'ArrowRight' && at < all.length) go(at + 1);
    if (event.key === 'ArrowLeft' && at > 1) go(at - 1);
  };

  return (
    <Card title={t`A tour of this run, live`} aside={t`Step ${at} of ${all.length}`}>
      {/* The arrow keys are a shortcut; the buttons below do the same. */}
      {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions */}
      <div className={styles['tour']} onKeyDown={onKey}>
        <progress className={styles['progress']} aria-label={t`Tour`} value={at} max={all.length} />
        <div className={styles['step']} data-step={at}>
          <div className={styles['text']}>
            <h3 ref={heading} tabIndex={-1}>
              {title}
            </h3>
            <p>{text}</p>
          </div>
          <Figure />
        </div>
        <div className={styles['actions']}>
          {at > 1 && (
            <Button onClick={() => go(at - 1)}>
              <Trans>Back</Trans>
            </Button>
          )}
          {at < all.length ? (
            <Button kind="primary" onClick={() => go(at + 1)}>
              <Trans>Next</Trans>
            </Button>
          ) : (
            <Link href="/">
              <Trans>Take part with this tab</Trans>
            </Link>
          )}
          <Button kind="quiet" onClick={() => navigate('/learn', { replace: true })}>
            <Trans>Leave the tour</Trans>
          </Button>
        </div>
      </div>
    </Card>
  );
}
