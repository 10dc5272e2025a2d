import { describe, expect, it } from '@jest/globals';
import { dotted, parseKeyPath, readKeys } from './key-path.js';

const read = (record: Record<string, unknown>, ...paths: string[]) => readKeys(record, paths.map(parseKeyPath));

describe('a key path', () => {
  it.each([
    ['previewKey', { head: 'previewKey', isList: false, tail: null }, 'previewKey'],
    ['files[]', { head: 'files', isList: true, tail: null }, 'files'],
    ['attachments[].key', { head: 'attachments', isList: true, tail: 'key' }, 'attachments.key'],
    ['meta.scans[].file.key', { head: 'meta.scans', isList: true, tail: 'file.key' }, 'meta.scans.file.key'],
  ])('%s', (text, parts, name) => {
    expect(parseKeyPath(text)).toEqual({ text, ...parts });
    expect(dotted(parseKeyPath(text))).toBe(name);
  });
});

describe('reading keys', () => {
  it('finds each key once, over all paths', () => {
    const record = { attachments: [{ key: 'a' }, { key: 'b' }, { key: 'a' }], previewKey: 'b' };
    expect(read(record, 'attachments[].key', 'previewKey')).toEqual({ readable: true, keys: ['a', 'b'] });
  });

  it.each<[string, Record<string, unknown>]>([
    ['nothing', {}],
    ['null', { attachments: null }],
    ['an empty list', { attachments: [] }],
    ['an element without key', { attachments: [{ name: 'x' }] }],
    ['an element that is null', { attachments: [null] }],
    ['a key that is null', { attachments: [{ key: null }] }],
    ['an empty key', { attachments: [{ key: '' }] }],
  ])('takes %s for no file', (_, record) => {
    expect(read(record, 'attachments[].key')).toEqual({ readable: true, keys: [] });
  });

  it.each<[string, Record<string, unknown>]>([
    ['no list', { attachments: { key: 'a' } }],
    ['a text', { attachments: 'a' }],
    ['an element that is a text', { attachments: ['a'] }],
    ['an element that is a list', { attachments: [[{ key: 'a' }]] }],
    ['a key that is a number', { attachments: [{ key: 7 }] }],
    ['a key that is a list', { attachments: [{ key: ['a'] }] }],
    ['a key that is a document', { attachments: [{ key: { key: 'a' } }] }],
  ])('cannot read %s', (_, record) => {
    expect(read({ ...record, previewKey: 'p' }, 'attachments[].key', 'previewKey')).toEqual({
      readable: false,
      path: 'attachments[].key',
    });
  });

  it('follows fields through embedded documents only', () => {
    expect(read({ meta: { scan: { key: 'a' } } }, 'meta.scan.key')).toEqual({ readable: true, keys: ['a'] });
    expect(read({ meta: null }, 'meta.scan.key')).toEqual({ readable: true, keys: [] });
    expect(read({ meta: [{ scan: { key: 'a' } }] }, 'meta.scan.key').readable).toBe(false);
  });
});
