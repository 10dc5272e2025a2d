import { describe, expect, test } from '@jest/globals';
import { type IdType, wireId } from './record-id.js';

describe('an id in JSON', () => {
  const taken: [IdType, unknown, unknown][] = [
    ['objectId', '65A0F0F0F0F0F0F0F0F0F0F0', '65a0f0f0f0f0f0f0f0f0f0f0'],
    ['number', 7, 7],
    ['number', 1.5, 1.5],
    ['number', '9007199254740993', '9007199254740993'],
    ['number', '-9223372036854775808', '-9223372036854775808'],
    ['string', 'a', 'a'],
    ['uuid', '0B7E1E0A-6E5E-4F6A-9E37-0A5F2E1C7D11', '0b7e1e0a-6e5e-4f6a-9e37-0a5f2e1c7d11'],
  ];
  test.each(taken)('%s %j is taken as %j', (type, given, id) => {
    expect(wireId(type).safeParse(given)).toMatchObject({ success: true, data: id });
  });

  const refused: [IdType, unknown, string][] = [
    ['objectId', '65a0', 'too short'],
    ['objectId', 7, 'another type'],
    ['number', Number('9007199254740993'), 'was rounded by JSON.parse: it names another record'],
    ['number', '9223372036854775808', 'does not fit 64 bits and would wrap around'],
    ['number', '007', 'is not how 7 is written'],
    ['number', '1.5', 'no integer'],
    ['string', '', 'empty'],
    ['string', 'a\ud800', 'half a surrogate pair becomes another string in the database'],
    ['string', 7, 'another type'],
    ['uuid', '0b7e1e0a6e5e4f6a9e370a5f2e1c7d11', 'without dashes'],
  ];
  test.each(refused)('%s %j is refused: %s', (type, given) => {
    expect(wireId(type).safeParse(given).success).toBe(false);
  });
});
