import { expect, it } from '@jest/globals';
import { givenParts } from './environment.js';

it('takes nothing from an empty environment', () => {
  expect(givenParts({ RABBITMQ_URL: '' })).toEqual({});
});

it('replaces each part by what the environment names', () => {
  const env = {
    RABBITMQ_URL: 'amqp://b',
    RABBITMQ_MANAGEMENT_URL: 'http://m',
    MONGODB_URL: 'mongodb://d',
    RECORDS_MONGODB_URL: 'mongodb://r/x',
    S3_ENDPOINT: 'http://s',
    S3_BUCKET: 'bucket',
    S3_ACCESS_KEY_ID: 'id',
    S3_SECRET_ACCESS_KEY: 'key',
  };
  expect(givenParts(env)).toEqual({
    rabbitmq: { url: 'amqp://b', managementUrl: 'http://m' },
    mongodb: 'mongodb://d',
    recordsMongodb: 'mongodb://r/x',
    s3: { endpoint: 'http://s', region: 'auto', bucket: 'bucket', accessKeyId: 'id', secretAccessKey: 'key' },
  });
});

it('names the variable that is missing beside one that is set', () => {
  expect(() => givenParts({ RABBITMQ_URL: 'amqp://b' })).toThrow(
    'RABBITMQ_URL is set, so RABBITMQ_MANAGEMENT_URL has to be set too',
  );
  expect(() => givenParts({ S3_ENDPOINT: 'http://s' })).toThrow('S3_ENDPOINT is set, so S3_BUCKET has to be set too');
});
