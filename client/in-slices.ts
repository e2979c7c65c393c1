/** Long lists checked in slices, so that a page of ten thousand peers never holds up the thread that draws. */
import type * as z from 'zod';

/** Some five milliseconds of checking. */
const SLICE = 1_000;

/** A macrotask: what waits to be drawn or clicked goes first. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/**
 * What `schema.parse` gives for an object whose list `field` is long, with pauses.
 *
 * @throws ZodError where `schema.parse` would
 */
export async function parseInSlices<Field extends string, Shape extends z.ZodRawShape & Record<Field, z.ZodArray>>(
  schema: z.ZodObject<Shape>,
  field: Field,
  value: unknown,
): Promise<z.output<z.ZodObject<Shape>>> {
  const list: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  if (!Array.isArray(list) || list.length <= SLICE) return schema.parse(value);
  const rest: object = schema.parse({ ...(value as object), [field]: [] });
  const rows: unknown[] = [];
  for (let from = 0; from < list.length; from += SLICE) {
    await breathe();
    rows.push(...(schema.shape[field].parse(list.slice(from, from + SLICE)) as unknown[]));
  }
  return { ...rest, [field]: rows } as z.output<z.ZodObject<Shape>>;
}
