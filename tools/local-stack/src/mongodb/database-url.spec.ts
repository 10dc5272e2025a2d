import { expect, it } from '@jest/globals';
import { databaseUrl } from './database-url.js';

it.each([
  ['mongodb://%2Ftmp%2Fa.sock/?directConnection=true', 'mongodb://%2Ftmp%2Fa.sock/x?directConnection=true'],
  ['mongodb://%2Ftmp%2Fa.sock/old?directConnection=true', 'mongodb://%2Ftmp%2Fa.sock/x?directConnection=true'],
  ['mongodb://u:p@one:1,two:2', 'mongodb://u:p@one:1,two:2/x'],
  ['mongodb+srv://cluster.example?w=1', 'mongodb+srv://cluster.example/x?w=1'],
])('names another database in %s', (server, named) => {
  expect(databaseUrl(server, 'x')).toBe(named);
});

it('refuses what is no MongoDB URL', () => {
  expect(() => databaseUrl('http://somewhere', 'x')).toThrow('not a MongoDB URL: http://somewhere');
});
