/** The validator's log: a JSON line an event, by pino. */
import pino, { type Logger } from 'pino';

/** @param destination a file, or standard error when not given: standard output is for the operator's one line a window */
export function createLog(level: pino.LevelWithSilent, destination?: string): Logger {
  return pino({ level, base: null }, pino.destination(destination ? { dest: destination, mkdir: true } : 2));
}
