import { readSettings } from '@expunge/runtime';
import { expect, test } from '@jest/globals';
import { s3OptionsOf, storageCleanerSettings } from './settings.js';

const needed = {
  RABBITMQ_URL: 'amqp://127.0.0.1',
  S3_ENDPOINT: 'https://account.r2.cloudflarestorage.com',
  S3_BUCKET: 'receipts',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'hidden',
};

test('the needed settings alone are enough for R2', () => {
  expect(s3OptionsOf(readSettings(storageCleanerSettings, needed))).toEqual({
    endpoint: 'https://account.r2.cloudflarestorage.com',
    region: 'auto',
    bucket: 'receipts',
    accessKeyId: 'id',
    secretAccessKey: 'hidden',
    forcePathStyle: true,
    deleteChecksum: 'crc32',
    timeoutMs: 30_000,
  });
});

test.each([
  ['S3_ENDPOINT', undefined, 'S3_ENDPOINT is required'],
  ['S3_ENDPOINT', 'account.r2.cloudflarestorage.com', 'S3_ENDPOINT must be a URL beginning with http:// or https://'],
  ['S3_BUCKET', undefined, 'S3_BUCKET is required'],
  ['S3_BUCKET', 'a/b', 'S3_BUCKET must be the name of a bucket, but is "a/b"'],
  ['S3_ACCESS_KEY_ID', undefined, 'S3_ACCESS_KEY_ID is required'],
  ['S3_SECRET_ACCESS_KEY', '', 'S3_SECRET_ACCESS_KEY is required'],
  ['S3_FORCE_PATH_STYLE', 'yes', 'S3_FORCE_PATH_STYLE must be true or false, but is "yes"'],
  ['S3_DELETE_CHECKSUM', 'sha1', 'S3_DELETE_CHECKSUM must be crc32 or md5, but is "sha1"'],
  ['S3_TIMEOUT', '30', 'S3_TIMEOUT must be a duration such as 30s, 15m, 24h or 7d, but is "30"'],
  ['S3_TIMEOUT', '0s', 'S3_TIMEOUT must be from 1s to 5m, but is "0s"'],
  ['S3_TIMEOUT', '1h', 'S3_TIMEOUT must be from 1s to 5m, but is "1h"'],
])('%s=%s is refused by name', (name, value, message) => {
  expect(() => readSettings(storageCleanerSettings, { ...needed, [name]: value })).toThrow(message);
});
