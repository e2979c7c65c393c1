/**
 * The protocols that this program speaks. A change that two peers of one run must agree on, or that a reader of the one
 * before would misread, is a new number: NEWEST becomes it, what differs branches on the manifest's `protocol`, and OLDEST
 * stays until no run of it is left. ARCHITECTURE.md ("Versions") says what is such a change.
 */

/** Runs of it are still gone on with. */
export const OLDEST_PROTOCOL = 1;

/** New runs are of it. */
export const NEWEST_PROTOCOL = 1;
