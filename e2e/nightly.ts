/** `NIGHTLY=1` runs the long form of the tests that repeat a thing many times; else they take minutes off every change. */
export const NIGHTLY = process.env['NIGHTLY'] === '1';

export const inLength = (short: number, nightly: number): number => (NIGHTLY ? nightly : short);
