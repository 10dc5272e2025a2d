import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineMessage, Envelope } from './envelope.js';

const ShelfEmptied = defineMessage({
  type: 'ShelfEmptied',
  version: 2,
  routingKey: 'shelf.emptied',
  data: z.object({ shelf: z.string(), books: z.int().default(0) }),
});
const fields = {
  id: 'job-1:1',
  source: 'urn:expunge:test',
  subject: 'job-1',
  time: '2026-11-23T10:00:00.000Z',
  data: { shelf: 'a', books: 3 },
};
const message = ShelfEmptied.create(fields);

describe('a message made from its definition', () => {
  test('is a CloudEvents 1.0 document that names type and version', () => {
    expect(message).toStrictEqual({
      ...fields,
      specversion: '1.0',
      type: 'ShelfEmptied',
      datacontenttype: 'application/json',
      dataschema: 'urn:expunge:ShelfEmptied:2',
    });
    expect(ShelfEmptied).toMatchObject({ version: 2, routingKey: 'shelf.emptied', dataschema: message.dataschema });
  });

  test('is what its schema takes, unchanged', () => {
    const extended = ShelfEmptied.create({ ...fields, sequence: 7, tenantid: 'acme', traceparent: '00-a-b-01' });
    expect(ShelfEmptied.schema.parse(extended)).toStrictEqual(extended);
    expect(Envelope.parse(extended)).toStrictEqual(extended);
  });

  test('has its members in one order, however they were given', () => {
    const turned = Object.fromEntries(Object.entries({ ...fields, tenantid: 'acme', sequence: 7 }).reverse());
    const made = ShelfEmptied.create(turned as unknown as typeof fields);
    expect(Object.keys(made)).toEqual(Object.keys(Envelope.shape).filter((name) => name !== 'traceparent'));
    expect(Object.keys(ShelfEmptied.schema.parse({ ...turned, ...made }))).toEqual(Object.keys(made));
  });

  test('has no member that is undefined, which a database would store as null', () => {
    const made = ShelfEmptied.create({ ...fields, sequence: undefined, tenantid: undefined, traceparent: undefined });
    expect(Object.keys(made)).toEqual(Object.keys(message));
  });

  test('is version 1 unless it says otherwise', () => {
    const first = defineMessage({ type: 'ShelfFilled', routingKey: null, data: z.object({}) });
    expect(first).toMatchObject({ version: 1, dataschema: 'urn:expunge:ShelfFilled:1' });
  });
});

describe('the envelope', () => {
  test('keeps extensions it does not know, for whoever passes the message on', () => {
    expect(Envelope.parse({ ...message, partitionkey: 'p' })).toStrictEqual({ ...message, partitionkey: 'p' });
    expect(ShelfEmptied.schema.parse({ ...message, partitionkey: 'p' })).toHaveProperty('partitionkey', 'p');
  });

  test('takes any data: only the definition can tell', () => {
    for (const data of [null, 7, 'x', [], { anything: true }]) {
      expect(Envelope.safeParse({ ...message, data }).success).toBe(true);
    }
  });

  test.each(['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema', 'data'])(
    'needs %s',
    (name) => {
      const without = Object.fromEntries(Object.entries(message).filter(([member]) => member !== name));
      expect(Envelope.safeParse(without).error?.issues.map(({ path }) => path)).toEqual([[name]]);
    },
  );

  test.each([
    ['specversion', '0.3'],
    ['id', ''],
    ['source', ''],
    ['subject', ''],
    ['time', 'yesterday'],
    ['time', '2026-11-23T10:00:00.000+08:00'],
    ['time', 1795428000000],
    ['datacontenttype', 'application/xml'],
    ['sequence', 0],
    ['sequence', 1.5],
    ['sequence', '1'],
    ['tenantid', ''],
    ['tenantid', null],
  ])('has no %s of %j', (name, value) => {
    const parsed = Envelope.safeParse({ ...message, [name]: value });
    expect(parsed.error?.issues.map(({ path }) => path)).toEqual([[name]]);
  });
});
