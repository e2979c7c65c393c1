import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildHash, type BuildList } from '../../core/wire/build-list.ts';
import { compareBuild } from './build-check.ts';

const digest = (text: string, encoding: 'hex' | 'base64'): string => createHash('sha256').update(text).digest(encoding);
const files = { 'index.html': digest('page', 'hex'), 'assets/a.js': digest('script', 'hex') };
const LIST: BuildList = { hash: buildHash(files), files };

const executed = (script: string): ReadonlyMap<string, string> =>
  new Map([
    ['index.html', `sha256-${digest('page', 'base64')}`],
    ['assets/a.js', `sha256-${digest(script, 'base64')}`],
  ]);

describe('what a page executes, compared with a build', () => {
  it('belongs to it', () => {
    expect(compareBuild(LIST, executed('script'))).toEqual({ hash: LIST.hash, foreign: [] });
  });

  it('does not with a file of another content, or of no place in it', () => {
    expect(compareBuild(LIST, executed('another')).foreign).toEqual(['assets/a.js']);
    const more = new Map([...executed('script'), ['constructor', `sha256-${digest('', 'base64')}`]]);
    expect(compareBuild(LIST, more).foreign).toEqual(['constructor']);
  });

  it('cannot be told by a list that does not come to its hash', () => {
    const wrong = { ...LIST, hash: '0'.repeat(64) };
    expect(compareBuild(wrong, executed('script')).foreign).toEqual(['build.json']);
  });
});
