/** Calls that are made before the last one has ended wait for it: a runtime's session runs one batch at a time. */
export function inTurn<Argument, Result>(
  work: (argument: Argument) => Promise<Result>,
): (argument: Argument) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (argument) => {
    const next = last.then(() => work(argument));
    // Whoever called hears of a failure; the next in turn goes on all the same.
    last = next.catch(() => undefined);
    return next;
  };
}
