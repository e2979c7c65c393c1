/** Every term with its meaning, each with an address of its own. */
import { Trans, useLingui } from '@lingui/react/macro';
import { useEffect, useState } from 'react';
import { Card } from '../ui/card.tsx';
import styles from './glossary-card.module.css';
import { GLOSSARY, TOPICS, type Entry, type TermName, type Topic } from './glossary.ts';
import { matching } from './search.ts';

/** @param addressed the word that the address bar names */
export function GlossaryCard({ addressed }: { addressed: TermName | undefined }) {
  const { t, i18n } = useLingui();
  const [query, setQuery] = useState('');
  const found = matching(query);

  useEffect(() => {
    if (addressed === undefined) return;
    const entry = document.getElementById(anchorOf(addressed));
    entry?.scrollIntoView({ block: 'center' });
    entry?.focus({ preventScroll: true });
  }, [addressed]);

  return (
    <Card title={t`Glossary`} intro={t`Words with a dotted line under them lead here.`}>
      <label className={styles['search']}>
        <Trans>Find a word</Trans>
        <input
          type="search"
          value={query}
          maxLength={60}
          autoComplete="off"
          onChange={(event) => setQuery(event.target.value)}
        />
      </label>
      <p role="status" className={found.length > 0 ? 'visually-hidden' : 'soft'}>
        {query !== '' &&
          (found.length > 0 ? (
            <Trans>Words found: {found.length}</Trans>
          ) : (
            <Trans>No word of the glossary matches. Try a shorter one.</Trans>
          ))}
      </p>
      {(Object.keys(TOPICS) as Topic[]).map((topic) => {
        const names = found.filter((name) => GLOSSARY[name].topic === topic);
        return (
          names.length > 0 && (
            <section key={topic} aria-label={i18n._(TOPICS[topic])}>
              <h3>{i18n._(TOPICS[topic])}</h3>
              <dl className={styles['entries']}>
                {names.map((name) => (
                  <Item key={name} name={name} entry={GLOSSARY[name]} addressed={name === addressed} />
                ))}
              </dl>
            </section>
          )
        );
      })}
    </Card>
  );
}

/** In a document whose hash is the route, so no fragment leads here by itself. */
const anchorOf = (name: TermName): string => `term-${name}`;

function Item({ name, entry, addressed }: { name: TermName; entry: Entry; addressed: boolean }) {
  const { i18n } = useLingui();
  return (
    <div id={anchorOf(name)} tabIndex={-1} className={styles['entry']} data-addressed={addressed || undefined}>
      <dt>
        <a href={`#/learn/${name}`}>{i18n._(entry.term)}</a>
      </dt>
      <dd>
        {i18n._(entry.short)}
        {entry.more && <span className={styles['more']}>{i18n._(entry.more)}</span>}
      </dd>
    </div>
  );
}
