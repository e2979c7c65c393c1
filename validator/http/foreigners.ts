/** Clients that do not speak the run's protocol: they may read, and change nothing. */
import type { MiddlewareHandler } from 'hono';
import { ProblemError } from '../../core/protocol/problem.ts';
import { formatRange, parseRange, PROTOCOL_HEADER, speaks, UNSAID } from '../../core/protocol/versions.ts';

/** @param protocol the run's */
export function refuseForeigners(protocol: number): MiddlewareHandler {
  return async (c, next) => {
    const said = c.req.header(PROTOCOL_HEADER);
    const spoken = said === undefined ? UNSAID : parseRange(said);
    if (!spoken) {
      throw new ProblemError('malformed-request', `The header ${PROTOCOL_HEADER} is a number or a range such as 1..2.`);
    }
    if (!speaks(protocol, spoken)) {
      throw new ProblemError(
        'unsupported-protocol',
        `This run is of protocol ${protocol}, and the client speaks ${formatRange(spoken)}: use a ${protocol > spoken.newest ? 'newer' : 'older'} version of it.`,
      );
    }
    await next();
  };
}
