import { expect, it } from '@jest/globals';
import { readSettings } from '@expunge/runtime';
import { deleterSettings } from './settings.js';

const limitOf = (value?: string) =>
  readSettings(deleterSettings, {
    RABBITMQ_URL: 'amqp://host',
    MONGODB_URL: 'mongodb://host',
    RECORDS_MONGODB_URL: 'mongodb://host/records',
    ...(value !== undefined && { MAX_RECORDS_PER_SECOND: value }),
  }).MAX_RECORDS_PER_SECOND;

it.each(['0', '-5', '1.5', 'fast', '1000001'])('the limit of all jobs is not %s, which names the variable', (value) => {
  const said = `MAX_RECORDS_PER_SECOND must be an integer from 1 to 1000000, but is "${value}"`;
  expect(() => limitOf(value)).toThrow(said);
});

it('there is no limit of all jobs unless one is given', () => {
  expect([limitOf(), limitOf(''), limitOf('1'), limitOf('250')]).toEqual([undefined, undefined, 1, 250]);
});
