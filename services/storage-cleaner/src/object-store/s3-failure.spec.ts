import { S3ServiceException } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { refusalOf } from './s3-failure.js';

const service = (name: string, httpStatusCode: number, message = 'as it says') =>
  new S3ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode } });
const network = (code: string, name = 'Error') => Object.assign(new Error('connection'), { code, name });

test.each([
  ['an exception of the service', service('AccessDenied', 403), 'AccessDenied', 403],
  ['one without a code', service('Unknown', 403), 'HTTP_403', 403],
  ['a page of a proxy', Object.assign(new Error('not XML'), { $metadata: { httpStatusCode: 502 } }), 'HTTP_502', 502],
  ['half an answer', Object.assign(new Error('not XML'), { $response: { statusCode: 200 } }), 'UNREADABLE_ANSWER', 200],
  ['a reset that the SDK calls a timeout', network('ECONNRESET', 'TimeoutError'), 'CONNECTION_RESET', null],
  ['a refused connection', network('ECONNREFUSED'), 'UNREACHABLE', null],
  ['an unknown host', network('ENOTFOUND'), 'UNREACHABLE', null],
  ['a certificate of somebody else', network('ERR_TLS_CERT_ALTNAME_INVALID'), 'UNREACHABLE', null],
  ['a connection that never opened', network('ETIMEDOUT', 'TimeoutError'), 'TIMEOUT', null],
  ['an abort', Object.assign(new Error('aborted'), { name: 'AbortError' }), 'TIMEOUT', null],
])('%s has a code', (_what, error, code, status) => {
  expect(refusalOf(error)).toEqual({ code, message: error.message, status });
});

test('the message of a host with several addresses is that of the first', () => {
  const error = Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:9')]), { code: 'ECONNREFUSED' });
  expect(refusalOf(error)?.message).toBe('connect ECONNREFUSED ::1:9');
});

test('the message is one line', () => {
  expect(refusalOf(service('InternalError', 500, 'first\nsecond'))?.message).toBe('first');
});

test.each([new TypeError('x is undefined'), 'thrown text', null, undefined])('%p is a bug', (error) => {
  expect(refusalOf(error)).toBeNull();
});
