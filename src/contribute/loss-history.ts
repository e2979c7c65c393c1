/** A loss curve of bounded size: when it is full, neighbours are averaged, so a week of training stays one screen. */

export interface LossPoint {
  /** Micro-batches since the page was opened, at the end of this point. */
  readonly step: number;
  /** Mean over the point's micro-batches, nats a token. */
  readonly loss: number;
  readonly window: number;
}

export interface LossHistory {
  readonly points: readonly LossPoint[];
  /** Micro-batches a finished point stands for. */
  readonly stride: number;
  readonly steps: number;
  /** The point being filled. */
  readonly partial: { readonly sum: number; readonly count: number };
}

export const MAX_LOSS_POINTS = 1_024;

export const EMPTY_LOSS_HISTORY: LossHistory = { points: [], stride: 1, steps: 0, partial: { sum: 0, count: 0 } };

export function appendLoss(history: LossHistory, loss: number, window: number): LossHistory {
  const steps = history.steps + 1;
  const sum = history.partial.sum + loss;
  const count = history.partial.count + 1;
  if (count < history.stride) return { ...history, steps, partial: { sum, count } };
  const points = [...history.points, { step: steps, loss: sum / count, window }];
  const next = { points, stride: history.stride, steps, partial: { sum: 0, count: 0 } };
  return points.length < MAX_LOSS_POINTS ? next : halve(next);
}

function halve(history: LossHistory): LossHistory {
  const points: LossPoint[] = [];
  for (let i = 0; i + 1 < history.points.length; i += 2) {
    const [first, second] = [history.points[i]!, history.points[i + 1]!];
    points.push({ ...second, loss: (first.loss + second.loss) / 2 });
  }
  return { ...history, points, stride: history.stride * 2 };
}

/** Exponential average that starts at the first value, so that it does not begin at zero. */
export function smooth(values: readonly number[], keep = 0.8): number[] {
  let average = values[0] ?? 0;
  return values.map((value) => (average = keep * average + (1 - keep) * value));
}
