/** Adds somebody to watch: by uid or address, or by one of a few that suggest themselves. */
import { t } from '@lingui/core/macro';
import { Trans } from '@lingui/react/macro';
import { useId, useState, type SubmitEvent } from 'react';
import { Button } from '../ui/button.tsx';
import styles from './form.module.css';
import { MAX_SUBJECTS, parseSubject } from './place.ts';

export interface Suggestion {
  readonly name: string;
  readonly subject: string;
}

export interface SubjectFormProps {
  readonly subjects: readonly string[];
  readonly suggestions: readonly Suggestion[];
  readonly onAdd: (subject: string) => void;
}

export function SubjectForm({ subjects, suggestions, onAdd }: SubjectFormProps) {
  const id = useId();
  const [text, setText] = useState('');
  const [complaint, setComplaint] = useState<string>();
  const full = subjects.length >= MAX_SUBJECTS;

  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const wanted = text.trim();
    if (parseSubject(wanted) === undefined) {
      setComplaint(t`“${wanted}” is neither a uid nor an address: is it copied whole?`);
      return;
    }
    setComplaint(undefined);
    setText('');
    onAdd(wanted);
  };

  if (full)
    return (
      <p className="soft">
        <Trans>{MAX_SUBJECTS} are watched: remove one to watch another.</Trans>
      </p>
    );
  const fresh = suggestions.filter(({ subject }) => !subjects.includes(subject));
  return (
    <form className={styles['form']} onSubmit={add} noValidate>
      <div className={styles['field']}>
        <label htmlFor={id}>
          <Trans>Hotkey or uid</Trans>
        </label>
        <input
          id={id}
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder={t`5F… or 12`}
          autoComplete="off"
          spellCheck={false}
          aria-invalid={complaint !== undefined}
          aria-describedby={complaint === undefined ? undefined : `${id}-complaint`}
        />
      </div>
      <Button type="submit">
        <Trans>Watch</Trans>
      </Button>
      {fresh.map(({ name, subject }) => (
        <Button key={subject} kind="quiet" onClick={() => onAdd(subject)}>
          + {name}
        </Button>
      ))}
      {complaint !== undefined && (
        <p id={`${id}-complaint`} role="alert" className={styles['complaint']}>
          {complaint}
        </p>
      )}
    </form>
  );
}
