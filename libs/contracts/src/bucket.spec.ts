import { describe, expect, test } from '@jest/globals';
import { BatchDeleted, PurgeRequested } from './batch-events.js';
import type { MessageDefinition } from './envelope.js';
import { parseMessage } from './messages.js';
import { ObjectCheckRequested } from './verification-messages.js';

const envelope = { id: 'job-1:1', source: 'urn:expunge:test', subject: 'job-1', time: '2026-11-23T10:00:00.000Z' };
const bucket = 'acme-invoices';
const totals = { batches: 1, succeeded: 1, failed: 0, objects: 1, retained: 0 };
const batch = { batch: 1, count: 1, objectKeys: ['a'], retained: [], failures: [], totals };
const startedAt = envelope.time;
const keys = { batch: 1, positions: [[0, 0]] as [number, number][], objectKeys: ['a'] };

/** Each message that carries keys, without a bucket and with one. */
const messages = [
  [BatchDeleted, (in_: object) => ({ ...batch, instance: 'd1', turn: 1, startedAt, ...in_ })],
  [PurgeRequested, (in_: object) => ({ ...keys, since: envelope.time, ...in_ })],
  [ObjectCheckRequested, (in_: object) => ({ finished: 4, chunk: 1, batches: [keys, { ...keys, batch: 2, ...in_ }] })],
] as const;

describe.each(messages.map(([definition, data]) => [definition.type, definition, data] as const))(
  '%s',
  (type, definition, dataOf) => {
    const create = (data: object) => (definition as MessageDefinition).create({ ...envelope, data });
    const without = create(dataOf({}));
    const named = create(dataOf({ bucket }));

    test('that names no bucket is version 1, and says nothing of one', () => {
      expect(without.dataschema).toBe(`urn:expunge:${type}:1`);
      expect(parseMessage(JSON.stringify(without))).toStrictEqual({ ok: true, message: without });
      expect(JSON.stringify(without)).not.toContain('bucket');
    });

    test('that names a bucket is version 2, which whoever reads version 1 alone refuses', () => {
      expect(named.dataschema).toBe(`urn:expunge:${type}:2`);
      expect(parseMessage(JSON.stringify(named))).toStrictEqual({ ok: true, message: named });
      expect(definition.schema.safeParse(named).error?.issues.map(({ path }) => path)).toEqual([['dataschema']]);
    });

    test('names no bucket that is no name of one', () => {
      const body = JSON.stringify(create(dataOf({ bucket: '../other' })));
      expect(parseMessage(body)).toMatchObject({
        ok: false,
        reason: expect.stringMatching(/bucket: must be the name of a bucket/),
      });
    });
  },
);
