import { describe, expect, test } from '@jest/globals';
import { definitionOf, messageDefinitions, parseMessage } from './messages.js';
import { ObjectsPurged } from './object-events.js';
import { SliceDue } from './worker-messages.js';

const message = SliceDue.create({
  id: 'job-1:slice:0:3',
  source: 'urn:expunge:deleter',
  subject: 'job-1',
  time: '2026-11-23T10:00:00.000Z',
  data: { lane: 0, turn: 3 },
});
const read = (value: unknown) => parseMessage(JSON.stringify(value));

describe('the definitions', () => {
  test('have each type and version once', () => {
    const schemas = messageDefinitions.map(({ dataschema }) => dataschema);
    expect(schemas).toHaveLength(new Set(schemas).size);
  });

  test('are found by what a message says of itself', () => {
    expect(definitionOf(message)).toBe(SliceDue);
    expect(definitionOf({ ...message, dataschema: 'urn:expunge:SliceDue:99' })).toBeUndefined();
    expect(definitionOf({ ...message, type: 'ObjectsPurged' })).toBeUndefined();
  });

  test('route no two types alike', () => {
    const routed = messageDefinitions.filter(({ routingKey }) => routingKey !== null);
    const types = new Set(routed.map(({ type }) => type));
    expect(new Set(routed.map(({ routingKey }) => routingKey)).size).toBe(types.size);
    expect(new Set(routed.map(({ type, routingKey }) => `${type} ${routingKey}`)).size).toBe(types.size);
  });
});

describe('a body that is a message', () => {
  test('is read from text and from bytes', () => {
    const body = JSON.stringify(message);
    expect(parseMessage(body)).toStrictEqual({ ok: true, message });
    expect(parseMessage(new TextEncoder().encode(body))).toStrictEqual({ ok: true, message });
  });

  test('loses what a later release added to its data, and keeps its extensions', () => {
    expect(read({ ...message, later: 1, data: { ...message.data, later: 1 } })).toStrictEqual({
      ok: true,
      message: { ...message, later: 1 },
    });
  });
});

describe('a body that cannot be read', () => {
  const unknownType = { ...message, type: 'SliceLost', dataschema: 'urn:expunge:SliceLost:1' };
  const unknownVersion = { ...message, dataschema: 'urn:expunge:SliceDue:2' };
  const badData = { ...message, data: { lane: -1 } };
  const far = ObjectsPurged.create({
    ...message,
    data: { batch: 1, positions: [[0, Number.MAX_SAFE_INTEGER]], instance: 'cleaner-1' },
  });
  const noData = { ...message, data: null };

  test.each<[string, string, string]>([
    ['nothing', '', 'the body is not JSON'],
    ['no JSON', '{"specversion":', 'the body is not JSON'],
    ['no object', '"hello"', 'no CloudEvents 1.0 document: body: Invalid input: expected object, received string'],
    ['null', 'null', 'no CloudEvents 1.0 document: body: Invalid input: expected object, received null'],
    ['a list of messages', '[]', 'no CloudEvents 1.0 document: body: Invalid input: expected object, received array'],
    [
      'another version of CloudEvents',
      JSON.stringify({ ...message, specversion: '0.3' }),
      'no CloudEvents 1.0 document: specversion: Invalid input: expected "1.0"',
    ],
    [
      'no time',
      JSON.stringify({ ...message, time: undefined }),
      'no CloudEvents 1.0 document: time: Invalid input: expected string, received undefined',
    ],
  ])('%s has no envelope, and the reason says so', (_, body, reason) => {
    expect(parseMessage(body)).toStrictEqual({ ok: false, reason, envelope: null });
  });

  test('names at most five of the things that are wrong', () => {
    const result = read({});
    expect(result.ok ? [] : result.reason.split('; ')).toHaveLength(5);
  });

  test.each([
    ['of an unknown type', unknownType, 'unknown type SliceLost'],
    [
      'of an unknown version',
      unknownVersion,
      'unknown version urn:expunge:SliceDue:2, this service reads urn:expunge:SliceDue:1',
    ],
    [
      'with data that does not fit',
      badData,
      'SliceDue data.lane: Too small: expected number to be >=0; data.turn: Invalid input: expected number, received undefined',
    ],
    [
      'that tells of more objects than any batch has',
      far,
      'ObjectsPurged data.positions: no batch has 10000000 objects',
    ],
    ['without data', noData, 'SliceDue data: Invalid input: expected object, received null'],
  ])('%s keeps its envelope, and the reason says so', (_, value, reason) => {
    expect(read(value)).toStrictEqual({ ok: false, reason, envelope: value });
  });

  test('tells apart a type and the data schema of another', () => {
    expect(read({ ...message, dataschema: ObjectsPurged.dataschema })).toMatchObject({
      reason: `unknown version ${ObjectsPurged.dataschema}, this service reads ${SliceDue.dataschema}`,
    });
  });

  test('is no object that inherits a type', () => {
    expect(read({ ...message, type: 'constructor', dataschema: 'urn:expunge:constructor:1' })).toMatchObject({
      ok: false,
      reason: 'unknown type constructor',
    });
  });
});
