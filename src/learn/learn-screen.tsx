/** What happens here, for somebody who has never heard of it: in short, as a tour, against what was before, in words. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { Button } from '../ui/button.tsx';
import { ScreenHead } from '../ui/screen-head.tsx';
import { ComparisonCard } from './comparison-card.tsx';
import { GlossaryCard } from './glossary-card.tsx';
import { HowItWorks } from './how-it-works.tsx';
import { learnPlace } from './place.ts';
import styles from './learn-screen.module.css';
import { Tour } from './tour/tour.tsx';

export default function LearnScreen() {
  const { t } = useLingui();
  const [location] = useLocation();
  const { step, term } = learnPlace(location);
  return (
    <>
      <ScreenHead title={t`What is going on here?`} />
      <Beginning step={step} />
      <HowItWorks />
      <ComparisonCard />
      <GlossaryCard addressed={term} />
    </>
  );
}

function Beginning({ step }: { step: number | undefined }) {
  const [, navigate] = useLocation();
  const start = useRef<HTMLButtonElement>(null);
  const touring = useRef(false);
  useEffect(() => {
    // Who leaves the tour is where it began, not at the top of the page.
    if (touring.current && step === undefined) start.current?.focus();
    touring.current = step !== undefined;
  }, [step]);

  if (step !== undefined) return <Tour number={step} />;
  return (
    <div className={styles['beginning']}>
      <p>
        <Trans>
          Many browser tabs train one language model together. Nobody has to trust anybody: what each tab contributes is
          measured, and the best becomes part of the model. The tour shows it on what is happening in this run right
          now, in about a minute.
        </Trans>
      </p>
      <Button ref={start} kind="primary" size="large" onClick={() => navigate('/learn/tour/1')}>
        <Trans>Take the tour</Trans>
      </Button>
    </div>
  );
}
