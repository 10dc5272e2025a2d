import { expect, test } from '@jest/globals';
import { writeConcernOf } from './write-concern.js';

test.each([
  ['mongodb://a,b,c/shop?replicaSet=rs0', 'majority'],
  ['mongodb+srv://cluster.example.net/shop', 'majority'],
  ['mongodb://alone.example.net/?directConnection=true', 1],
  ['mongodb://%2Ftmp%2Fmongodb.sock/?directConnection=true&appName=x', 1],
  ['mongodb://alone.example.net/?w=1', 1],
  ['mongodb://a/?directConnection=true&w=majority', 'majority'],
  ['mongodb://a,b,c/shop?w=1', 'majority'],
  ['mongodb://a/shop?replicaSet=rs0&w=1', 'majority'],
  ['mongodb+srv://cluster.example.net/shop?w=0', 'majority'],
] as const)('%s is asked for %s, journaled', (url, w) => {
  expect(writeConcernOf(url)).toEqual({ w, journal: true });
});
