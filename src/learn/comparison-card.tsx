/** How models were trained before, and what is different here, for better and for worse. */
import { Trans, useLingui } from '@lingui/react/macro';
import { Card } from '../ui/card.tsx';
import { Scroller } from '../ui/scroller.tsx';
import styles from './comparison-card.module.css';
import { Term } from './term.tsx';

export function ComparisonCard() {
  const { t } = useLingui();
  const rows = [
    {
      question: t`Who may take part?`,
      cluster: t`The machines of one owner.`,
      federated: t`Invited participants whose names are known.`,
      volunteer: t`Anybody.`,
      gauntlet: t`Anybody with a browser, without an account.`,
    },
    {
      question: t`What does a contribution count for?`,
      cluster: t`Everything is the owner’s.`,
      federated: t`The same for all, or by the amount of data.`,
      volunteer: t`The time or the hardware that was lent.`,
      gauntlet: t`How much it lowered the model’s loss, measured.`,
    },
    {
      question: t`What if somebody cheats?`,
      cluster: t`Nobody is there who could.`,
      federated: t`One false update can spoil the model; robust averages help in part.`,
      volunteer: t`The same work is given out twice and compared, which halves the speed.`,
      gauntlet: t`False, copied and lazy work is found by measurement and gets no weight.`,
    },
    {
      question: t`How fast is it?`,
      cluster: t`The fastest by far.`,
      federated: t`Slow: as slow as the slowest participant.`,
      volunteer: t`Slow, and mostly for work that needs no exchange.`,
      gauntlet: t`Slower than a data centre: between windows everybody waits for uploads and the judge.`,
    },
    {
      question: t`What has to be trusted?`,
      cluster: t`The owner.`,
      federated: t`The server and the participants.`,
      volunteer: t`The server.`,
      gauntlet: t`That the validator takes in every upload. What it makes of them, anybody can recompute.`,
    },
  ];
  return (
    <Card
      title={t`How it was done before`}
      intro={t`None of these is best at everything. Gauntlet is for training with people who do not know each other.`}
    >
      <Scroller label={t`Comparison`}>
        <table className={styles['comparison']}>
          <thead>
            <tr>
              <td />
              <th scope="col">
                <Trans>A data centre</Trans>
              </th>
              <th scope="col">
                <Trans>Federated learning</Trans>
              </th>
              <th scope="col">
                <Trans>Volunteer computing</Trans>
              </th>
              <th scope="col" className={styles['ours']}>
                <Trans>Here: Gauntlet</Trans>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ question, cluster, federated, volunteer, gauntlet }) => (
              <tr key={question}>
                <th scope="row">{question}</th>
                <td>{cluster}</td>
                <td>{federated}</td>
                <td>{volunteer}</td>
                <td className={styles['ours']}>{gauntlet}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      <p className="soft">
        <Trans>
          The idea is described in the paper{' '}
          <a href="https://arxiv.org/abs/2505.21684" rel="noreferrer" lang="en">
            Incentivizing Permissionless Distributed Learning of LLMs (arXiv 2505.21684)
          </a>
          . The <Term name="book">books</Term> of every window are public, and an <Term name="audit">audit</Term>{' '}
          computes them again.
        </Trans>
      </p>
    </Card>
  );
}
