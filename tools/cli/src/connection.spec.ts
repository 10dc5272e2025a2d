import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { connectionOf } from './connection.js';
import { selectionOf } from './selection.js';

let folder: string;
let stackFile: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'expunge-cli-'));
  stackFile = join(folder, 'stack.json');
  writeFileSync(stackFile, JSON.stringify({ api: 'http://127.0.0.1:1', token: 'of the stack' }));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('whom to ask', () => {
  const env = { EXPUNGE_API: 'https://delete.example/expunge/', EXPUNGE_TOKEN: 'mine' };

  it('is told by the environment, or over it by the command line', () => {
    expect(connectionOf({}, env, stackFile)).toEqual({ api: 'https://delete.example/expunge', token: 'mine' });
    expect(connectionOf({ api: 'http://other/api' }, env, stackFile)).toEqual({ api: 'http://other', token: 'mine' });
  });

  it('is a running `npm start`, if nothing else is said', () => {
    expect(connectionOf({}, {}, stackFile)).toEqual({ api: 'http://127.0.0.1:1', token: 'of the stack' });
    expect(() => connectionOf({}, {}, join(folder, 'none.json'))).toThrow('EXPUNGE_API and EXPUNGE_TOKEN are not set');
  });

  it('is never one by the address of another', () => {
    expect(() => connectionOf({ api: 'http://other' }, {}, stackFile)).toThrow('EXPUNGE_TOKEN is not set');
    expect(() => connectionOf({ token: 'mine' }, {}, stackFile)).toThrow('EXPUNGE_API is not set');
  });

  it.each(['delete.example', 'ftp://delete.example', ''])('is no %j', (api) => {
    expect(() => connectionOf({ api, token: 't' }, {}, stackFile)).toThrow('must be an http or https URL');
  });
});

describe('what is to be deleted', () => {
  it('is said in exactly one way', () => {
    expect(selectionOf({ all: true })).toEqual({ all: true });
    expect(selectionOf({ ids: ['a', 'b'] })).toEqual({ ids: ['a', 'b'] });
    expect(selectionOf({ filter: { total: 3 } })).toEqual({ filter: { total: 3 } });
  });

  test.each([[{}], [{ all: false }], [{ all: true, ids: ['a'] }], [{ ids: ['a'], filter: {} }]])(
    'is not said by %j',
    (options) => {
      expect(() => selectionOf(options)).toThrow('exactly one of --all, --ids, --ids-from and --filter');
    },
  );

  it('may stand in a file, and must', () => {
    const file = join(folder, 'ids');
    writeFileSync(file, 'a\r\n\n b \n');
    expect(selectionOf({ idsFrom: file })).toEqual({ ids: ['a', 'b'] });
    writeFileSync(file, '\n');
    expect(() => selectionOf({ idsFrom: file })).toThrow('names no id');
  });
});
