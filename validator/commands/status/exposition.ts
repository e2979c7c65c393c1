/** Prometheus' text format, as far as a validator of ours writes it. */

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** Lines that are none are left out: what asks for a series finds none. */
export function parseExposition(text: string): Series[] {
  return text.split('\n').flatMap((line): Series[] => {
    const [, name, labels = '', value] = (line.startsWith('#') ? null : LINE.exec(line)) ?? [];
    if (name === undefined) return [];
    const parsed = [...labels.matchAll(LABEL)].map(([, key, text_]) => [key!, text_!.replace(/\\(.)/g, '$1')] as const);
    return [{ name, labels: Object.fromEntries(parsed), value: Number(value) }];
  });
}

/** Sum over all series of a name; undefined where there are none, or none that is known. */
export function total(series: readonly Series[], name: string): number | undefined {
  const values = series.filter((each) => each.name === name && !Number.isNaN(each.value));
  return values.length === 0 ? undefined : values.reduce((sum, { value }) => sum + value, 0);
}
