/** A terminal's second page: drawn over as often as need be, and gone without a trace at the end. */
import type { WriteStream } from 'node:tty';

/** Second page, no cursor, and lines that are too long end instead of going on below. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

export interface Screen {
  /** @param rows of the terminal */
  draw(lines: readonly string[], rows: number): void;
  /** Gives the terminal back as it was; harmless a second time. */
  leave(): void;
}

/** However the process ends, the terminal is given back, but for SIGKILL. */
export function openScreen(terminal: Pick<WriteStream, 'write'>): Screen {
  let open = true;
  const leave = (): void => {
    if (!open) return;
    open = false;
    process.off('exit', leave);
    terminal.write(LEAVE);
  };
  process.on('exit', leave);
  terminal.write(ENTER);
  return {
    draw(lines, rows) {
      // Erased line by line, and before it is written: an empty page flickers, and afterwards a full line would lose its end.
      const page = Array.from({ length: rows }, (_, row) => `\x1b[K${lines[row] ?? ''}`);
      if (open) terminal.write(`\x1b[H${page.join('\r\n')}`);
    },
    leave,
  };
}
