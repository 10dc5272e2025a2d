import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { KeysUnavailableError, ServedKeys } from './served-keys.js';

const times = { withinMs: 1_000, refreshAfterMs: 100, believedForMs: 1_000, againAfterMs: 10 };

let server: Server;
let key: JWK;
let served: JWK[] | 'an error' | 'garbage';
let asked: number;
let now: number;
beforeAll(async () => {
  const { publicKey } = await generateKeyPair('ES256');
  key = await exportJWK(publicKey);
  server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(served === 'an error' ? 500 : 200, { 'content-type': 'application/json' });
    response.end(typeof served === 'string' ? 'no keys' : JSON.stringify({ keys: served }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => void server.close());
beforeEach(() => {
  [asked, now, served] = [0, 10_000, [{ ...key, kid: 'a' }]];
});

const keys = () =>
  new ServedKeys(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), times, () => now);
const isHad = async (one: ServedKeys, kid: string) => {
  const token = { payload: '', signature: '' };
  return (await one.keyOf({ alg: 'ES256', kid }, token)) instanceof CryptoKey;
};

test('they are read once, and anew when one is not known', async () => {
  const one = keys();
  expect([await isHad(one, 'a'), await isHad(one, 'a'), asked]).toEqual([true, true, 1]);
  served = [{ ...key, kid: 'b' }];
  await expect(isHad(one, 'c')).rejects.toThrow('no applicable key');
});

test('one that was withdrawn is believed until they were read anew', async () => {
  const one = keys();
  await isHad(one, 'a');
  served = [{ ...key, kid: 'b' }];
  now += times.refreshAfterMs + 1;
  expect(await isHad(one, 'a')).toBe(true);
  while (!(await isHad(one, 'b').catch(() => false))) await turn();
  await expect(isHad(one, 'a')).rejects.toThrow('no applicable key');
});

test.each(['an error', 'garbage'] as const)('%s instead of them is borne, but not for ever', async (instead) => {
  const one = keys();
  await isHad(one, 'a');
  served = instead;
  now += times.refreshAfterMs + 1;
  expect(await isHad(one, 'a')).toBe(true);
  now += times.believedForMs;
  await expect(isHad(one, 'a')).rejects.toThrow(KeysUnavailableError);
});

test.each(['an error', 'garbage'] as const)('who answers with %s is not asked again at once', async (instead) => {
  const one = keys();
  served = instead;
  for (let n = 0; n < 5; n++) await expect(isHad(one, 'a')).rejects.toThrow(KeysUnavailableError);
  expect(asked).toBe(1);
  await expect(one.ready()).rejects.toThrow();
  served = [{ ...key, kid: 'a' }];
  now += times.againAfterMs + 1;
  await expect(one.ready()).resolves.toBeUndefined();
  expect([await isHad(one, 'a'), asked]).toEqual([true, 2]);
});
