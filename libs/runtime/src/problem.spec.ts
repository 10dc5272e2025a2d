import { TransientError } from '@expunge/messaging';
import { describe, expect, test } from '@jest/globals';
import { CheckError, isOtherTrouble, problemOf, tellable } from './problem.js';

describe('what is told of an error', () => {
  test.each<[string, unknown, object]>([
    ['one of ours', new TransientError('AWAY', 'it is'), { code: 'AWAY', message: 'it is' }],
    ['a refusal over HTTP', new CheckError('SlowDown', 'less'), { code: 'SlowDown', message: 'less' }],
    ['one with its status', new CheckError('X', 'y', 503), { code: 'X', message: 'y', status: 503 }],
    ['the system', Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), { code: 'ECONNREFUSED', message: 'no' }],
    ['MongoDB', { code: 18, codeName: 'AuthenticationFailed', message: 'x' }, { code: 'AuthenticationFailed' }],
    ['a bug', new TypeError('x is undefined'), { code: 'CHECK_FAILED', message: 'x is undefined' }],
    ['a text', 'thrown', { code: 'CHECK_FAILED', message: 'thrown' }],
    ['nothing', undefined, { code: 'CHECK_FAILED', message: 'undefined' }],
    [
      'a host with several addresses',
      Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:9')]), { code: 'ECONNREFUSED' }),
      { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED ::1:9' },
    ],
  ])('by %s', (_, error, told) => {
    expect(problemOf(error)).toMatchObject(told);
    expect('status' in problemOf(error)).toBe('status' in told);
  });
});

describe('a message that is told', () => {
  test.each([
    ['cannot reach mongodb://ann:hunter2@a:1,b:2/x', 'cannot reach mongodb://***@a:1,b:2/x'],
    ['amqps://ann:hun@ter2@a/vhost is down', 'amqps://***@a/vhost is down'],
    ['mongodb://ann:hun/ter2@a/x', 'mongodb://***@a/x'],
    ['mongodb://a/x?tlsCertificateKeyFilePassword=hunter2 ', 'mongodb://a/x?*** '],
    ['GET "https://a/b?X-Amz-Signature=hunter2" and http://c', 'GET "https://a/b?***" and http://c'],
    ['connect ECONNREFUSED 127.0.0.1:9, says a@b?', 'connect ECONNREFUSED 127.0.0.1:9, says a@b?'],
  ])('holds no secret of a URL: %s', (message, told) => {
    expect(tellable(message)).toBe(told);
    expect(told).not.toMatch(/hun|ter2/);
  });

  test('has at most 300 characters', () => {
    expect(tellable('x'.repeat(300))).toBe('x'.repeat(300));
    expect(tellable('x'.repeat(301))).toBe(`${'x'.repeat(299)}…`);
  });
});

describe('trouble', () => {
  const [away, slow] = [
    { code: 'UNREACHABLE', message: '1' },
    { code: 'SlowDown', message: '2' },
  ];

  test.each([
    ['comes', {}, { bucket: away }, true],
    ['goes', { bucket: away, broker: away }, { broker: away }, true],
    ['has another cause', { bucket: away }, { bucket: slow }, true],
    ['is elsewhere', { bucket: away }, { broker: away }, true],
    ['says the same in other words', { bucket: away }, { bucket: { ...away, message: '3' } }, false],
    ['stays, in whatever order', { bucket: away, broker: slow }, { broker: slow, bucket: away }, false],
    ['is none, still', {}, {}, false],
    ['is none, as is known now', undefined, {}, true],
  ])('that %s', (_, before, now, isOther) => {
    expect(isOtherTrouble(before, now)).toBe(isOther);
  });
});
