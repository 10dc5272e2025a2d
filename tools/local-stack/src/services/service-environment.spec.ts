import { expect, it } from '@jest/globals';
import { instancesOf } from './instances.js';
import { environmentOf, type Wiring } from './service-environment.js';

const wiring: Wiring = {
  stack: {
    rabbitmq: { url: 'amqp://broker', managementUrl: 'http://management', server: null, ctl: null },
    mongodb: { url: 'mongodb://store/', recordsUrl: 'mongodb://records/r', server: null, recordsAreOurs: true },
    s3: { endpoint: 'http://s3', region: 'auto', bucket: 'b', accessKeyId: 'id', secretAccessKey: 'key', server: null },
  },
  jwtSecret: 'secret',
  monitorUrls: ['http://127.0.0.1:4', 'http://127.0.0.1:5'],
  inherited: {
    PATH: '/bin',
    MAX_PENDING_OBJECTS: '7',
    S3_TIMEOUT: '9s',
    JWT_SECRET: 'of another system',
    S3_SECRET_ACCESS_KEY: 'given',
    S3_FORCE_PATH_STYLE: 'false',
    RECORDS_MONGODB_URL: 'mongodb://given/r',
  },
};
const instances = instancesOf({ api: 1, deleter: 1, 'storage-cleaner': 1, monitor: 2 }, [1, 2, 3, 4, 5]);
const common = {
  PATH: '/bin',
  MAX_PENDING_OBJECTS: '7',
  S3_TIMEOUT: '9s',
  LOG_LEVEL: 'info',
  HOST: '127.0.0.1',
  RABBITMQ_URL: 'amqp://broker',
};

it('gives each service what it needs, and no secret it does not', () => {
  expect(instances.map((instance) => environmentOf(instance, wiring))).toEqual([
    {
      ...common,
      INSTANCE: 'api-1',
      PORT: '1',
      RABBITMQ_MANAGEMENT_URL: 'http://management',
      MONGODB_URL: 'mongodb://store/',
      JWT_SECRET: 'secret',
      MONITOR_URLS: 'http://127.0.0.1:4,http://127.0.0.1:5',
    },
    {
      ...common,
      INSTANCE: 'deleter-1',
      PORT: '2',
      MONGODB_URL: 'mongodb://store/',
      RECORDS_MONGODB_URL: 'mongodb://records/r',
    },
    {
      ...common,
      INSTANCE: 'storage-cleaner-1',
      PORT: '3',
      S3_ENDPOINT: 'http://s3',
      S3_REGION: 'auto',
      S3_BUCKET: 'b',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'key',
      S3_FORCE_PATH_STYLE: 'false',
    },
    ...[1, 2].map((number) => ({
      ...common,
      INSTANCE: `monitor-${number}`,
      PORT: String(3 + number),
      RABBITMQ_MANAGEMENT_URL: 'http://management',
      MONGODB_URL: 'mongodb://store/',
    })),
  ]);
});
