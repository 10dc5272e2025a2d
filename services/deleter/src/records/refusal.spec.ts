import { describe, expect, it } from '@jest/globals';
import { MongoNetworkError, MongoServerError, MongoWriteConcernError } from 'mongodb';
import { refusalIn } from './refusal.js';

const answered = (code: number, codeName?: string) =>
  new MongoServerError({ errmsg: 'no', code, ...(codeName && { codeName }) });

describe('what a server says of a delete', () => {
  it.each([
    [121, 'DocumentValidationFailure', 'DocumentValidationFailure'],
    [388, 'TransactionTooLargeForCache', 'TransactionTooLargeForCache'],
    [10334, undefined, 'Location10334'],
    [17280, 'KeyTooLong', 'KeyTooLong'],
  ])('is a refusal where a record is to blame: %i', (code, codeName, expected) => {
    expect(refusalIn(answered(code, codeName))).toEqual({ code: expected, message: 'no' });
  });

  it.each([
    [13, 'Unauthorized'],
    [26, 'NamespaceNotFound'],
    [59, 'CommandNotFound'],
    [166, 'CommandNotSupportedOnView'],
    [371, 'UserWritesBlocked'],
    [14031, 'OutOfDiskSpace'],
    [40415, 'IDLUnknownField'],
  ])('is none where no record could help it: %i %s', (code, codeName) => {
    expect(refusalIn(answered(code, codeName))).toBeNull();
  });

  it('is none where it was carried out, or nobody knows', () => {
    const writeConcernError = { code: 121, errmsg: 'not on a majority' };
    expect(refusalIn(new MongoWriteConcernError({ ok: 1, writeConcernError }))).toBeNull();
    expect(refusalIn(new MongoNetworkError('gone'))).toBeNull();
    expect(refusalIn(new Error('something nobody thought of'))).toBeNull();
  });
});
