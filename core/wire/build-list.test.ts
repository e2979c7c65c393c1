import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildHash } from './build-list.ts';

const FILES = { 'index.html': 'a page', 'a-script.js': 'let x = 1;', 'B.css': 'p {}' };

it('is the hash of what sha256sum prints', () => {
  const dir = mkdtempSync(join(tmpdir(), 'build-list-'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(dir, name), text);
  const sums = execFileSync('sh', ['-c', 'find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum'], { cwd: dir });
  rmSync(dir, { recursive: true });
  const hashed = Object.entries(FILES).map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')]);
  expect(`${buildHash(Object.fromEntries(hashed) as Record<string, string>)}  -\n`).toBe(sums.toString());
});
