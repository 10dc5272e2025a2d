import { describe, expect, test } from '@jest/globals';
import { commonSettings, readSettings, readWhatIsRight, setting } from './settings.js';

describe('the URL of a database', () => {
  const url = setting.url('mongodb', 'mongodb+srv');

  test.each([
    'mongodb://127.0.0.1:27017',
    'mongodb://user:p%40ss@a:27017,b:27018,c/records?replicaSet=rs0',
    'mongodb://%2Ftmp%2Fexpunge-x%2Fmongodb.sock/?directConnection=true',
    'mongodb+srv://cluster.example.net/records',
    'mongodb://[::1]:27017/records',
  ])('may be %s', (value) => {
    expect(url.safeParse(value).success).toBe(true);
  });

  test.each(['', 'mongodb://', 'mongodb:///records', 'http://127.0.0.1', 'mongodb://a,,b', '127.0.0.1:27017'])(
    'may not be %j',
    (value) => {
      expect(url.safeParse(value).success).toBe(false);
    },
  );
});

test('the URL of a broker is one that can be parsed', () => {
  const url = setting.url('amqp', 'amqps');
  expect(url.safeParse('amqp://guest:guest@127.0.0.1:5672/vhost').success).toBe(true);
  expect(url.safeParse('amqp://a:b:c').success).toBe(false);
  expect(url.safeParse('http://127.0.0.1').success).toBe(false);
});

describe('a duration', () => {
  const environment = { RABBITMQ_URL: 'amqp://127.0.0.1' };

  test.each([
    ['DRAIN_TIMEOUT', '24d', '25d'],
    ['STORE_RETRY_FOR', '3650d', '999999999d'],
  ] as const)('of %s is at most %s, and not %s', (name, longest, longer) => {
    const taken = readSettings(commonSettings, { ...environment, [name]: longest })[name];
    expect(taken).toBe(Number.parseInt(longest) * 86_400_000);
    expect(new Date(Date.now() + taken).toISOString()).toMatch(/^\d{4}-/);
    expect(() => readSettings(commonSettings, { ...environment, [name]: longer })).toThrow(
      `${name} must be at most ${longest}, but is "${longer}"`,
    );
  });
});

describe('a share', () => {
  test.each([
    ['0', 0],
    ['0.5', 0.5],
    ['.25', 0.25],
    ['1', 1],
    ['1.0', 1],
  ])('may be %s', (value, expected) => {
    expect(setting.share().parse(value)).toBe(expected);
  });

  test.each(['', '1.5', '-0.1', '50', '50%', '0,5'])('may not be %j', (value) => {
    expect(setting.share().safeParse(value).success).toBe(false);
  });
});

describe('what was given', () => {
  const environment = { RABBITMQ_URL: 'ftp://ann:hunter2@x', MONITOR_URLS: 'ftp://ann:hunter2@x' };

  test('is shown, but for secrets and URLs', () => {
    const wrong = setting.flag();
    const schema = commonSettings.extend({ A_KEY: wrong, MONITOR_URLS: wrong, S3_ENDPOINT: wrong, A_FLAG: wrong });
    const given = { ...environment, A_KEY: 'hunter2', S3_ENDPOINT: 'https://ann:hunter2@x', A_FLAG: 'shown' };
    const read = () => readSettings(schema, given);
    expect(read).toThrow('A_FLAG must be true or false, but is "shown"');
    expect(read).toThrow('S3_ENDPOINT must be true or false (value not shown)');
    expect(read).not.toThrow('hunter2');
  });
});

test('of what it takes to tell of a wrong setting, each is read by itself', () => {
  const right = { RABBITMQ_URL: 'amqp://a', INSTANCE: 'deleter-1', LOG_LEVEL: 'debug', NODE_ENV: 'production' };
  expect(readWhatIsRight({ ...right, PORT: 'x' })).toEqual(right);
  expect(readWhatIsRight({ ...right, RABBITMQ_URL: 'a', INSTANCE: 'b c' })).toMatchObject({ LOG_LEVEL: 'debug' });
  expect(readWhatIsRight({ ...right, RABBITMQ_URL: 'a', INSTANCE: 'b c' })).not.toHaveProperty('RABBITMQ_URL');
  expect(readWhatIsRight({ ...right, INSTANCE: 'b c' })).not.toHaveProperty('INSTANCE');
  expect(readWhatIsRight({ RABBITMQ_URL: 'amqp://a', LOG_LEVEL: 'loud' })).toEqual({ RABBITMQ_URL: 'amqp://a' });
});
