import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { signToken } from './claims.js';
import { KeysUnavailableError } from './served-keys.js';
import { TokenVerifier } from './token-verifier.js';

// Long enough for HS512 too, so that only its name is wrong.
const secret = new TextEncoder().encode('a secret '.repeat(8));
const now = new Date('2026-11-01T12:00:00Z');
const later = new Date(now.getTime() + 60_000);
const claims = { tenant: 'acme', scope: 'jobs:read jobs:write' };
const refusedAs = (reason: RegExp) => ({ ok: false, reason: expect.stringMatching(reason) as unknown });
type Make = () => Promise<string> | string;

describe('a bearer token signed with the secret', () => {
  const verifier = new TokenVerifier({ keys: { secret } });
  const signed = (payload: object, alg = 'HS256', key = secret): Promise<string> =>
    new SignJWT({ ...payload }).setProtectedHeader({ alg }).setExpirationTime(later).sign(key);

  test('tells tenant, scopes and who asks', async () => {
    expect(await verifier.verify(await signToken({ ...claims, subject: 'ann' }, secret, later), now)).toEqual({
      ok: true,
      caller: { tenant: 'acme', scopes: new Set(['jobs:read', 'jobs:write']), name: 'ann', expiresAt: later },
    });
  });

  test.each([8.64e12, 8.65e12, 1e300])('that expires %p seconds after 1970 ends with the last date', async (exp) => {
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(exp).sign(secret);
    expect(await verifier.verify(token, now)).toMatchObject({ caller: { expiresAt: new Date(8.64e15) } });
  });

  test('without a subject speaks for the tenant', async () => {
    expect(await verifier.verify(await signToken(claims, secret, later), now)).toMatchObject({
      caller: { name: 'acme' },
    });
  });

  const refused: [string, Make, RegExp][] = [
    ['is no token', () => 'abc', /not valid/],
    ['has expired', () => signToken(claims, secret, new Date(now.getTime() - 1000)), /expired/],
    ['never expires', () => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret), /not valid/],
    ['is signed by nobody', () => new UnsecuredJWT(claims).setExpirationTime(later).encode(), /not valid/],
    ['names another algorithm', () => signed(claims, 'HS512'), /not valid/],
    ['is signed with another secret', () => signed(claims, 'HS256', new Uint8Array(32)), /not valid/],
    ['has no tenant', () => signed({ scope: 'jobs:read' }), /tenant and scope/],
    ['has no scope', () => signed({ tenant: 'acme' }), /tenant and scope/],
    ['names a tenant inside another', () => signed({ ...claims, tenant: 'acme/eu' }), /tenant and scope/],
    ['lists scopes', () => signed({ ...claims, scope: ['jobs:read'] }), /tenant and scope/],
  ];
  test.each(refused)('is refused when it %s', async (_, make, reason) => {
    expect(await verifier.verify(await make(), now)).toEqual(refusedAs(reason));
  });

  test('is held to issuer and audience, where they are named', async () => {
    const strict = new TokenVerifier({ keys: { secret }, issuer: 'https://id.example', audience: 'expunge' });
    const verify = async (more: object) => strict.verify(await signToken({ ...claims, ...more }, secret, later), now);
    const right = { issuer: 'https://id.example', audience: 'expunge' };
    expect(await verify(right)).toMatchObject({ ok: true });
    expect(await verify({ ...right, issuer: 'https://other.example' })).toEqual(refusedAs(/another issuer/));
    expect(await verify({ audience: 'expunge' })).toEqual(refusedAs(/another issuer/));
    expect(await verify({ ...right, audience: 'billing' })).toEqual(refusedAs(/another audience/));
    expect(await verify({ issuer: right.issuer })).toEqual(refusedAs(/another audience/));
  });

  test('needs no keys of anybody', async () => {
    await expect(verifier.ready()).resolves.toBeUndefined();
  });
});

describe('a bearer token of which the keys are served', () => {
  let server: Server;
  let served: JWK[] | 'an error';
  let asked = 0;
  let rsa: CryptoKeyPair;
  let ec: CryptoKeyPair;
  type CryptoKeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

  beforeAll(async () => {
    [rsa, ec] = await Promise.all([generateKeyPair('RS256', { extractable: true }), generateKeyPair('ES256')]);
    server = createServer((_request, response) => {
      asked += 1;
      if (served === 'an error') response.writeHead(500).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: served }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    served = [await jwk(rsa, 'rsa'), await jwk(ec, 'ec')];
  });
  afterAll(() => void server.close());

  const jwk = async ({ publicKey }: CryptoKeyPair, kid: string) => ({
    ...(await exportJWK(publicKey)),
    kid,
    use: 'sig',
  });
  const url = () => new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`);
  const rules = { issuer: 'https://id.example', audience: 'expunge' };
  const verifier = () => new TokenVerifier({ keys: { jwks: url() }, ...rules });
  const token = (header: { alg: string; kid?: string }, key: Parameters<SignJWT['sign']>[0]) =>
    new SignJWT(claims)
      .setProtectedHeader(header)
      .setIssuer(rules.issuer)
      .setAudience(rules.audience)
      .setExpirationTime(later)
      .sign(key);

  test('is believed by each of them', async () => {
    const both = verifier();
    const before = asked;
    expect(await both.verify(await token({ alg: 'RS256', kid: 'rsa' }, rsa.privateKey), now)).toMatchObject({
      ok: true,
    });
    expect(await both.verify(await token({ alg: 'ES256', kid: 'ec' }, ec.privateKey), now)).toMatchObject({ ok: true });
    expect(asked - before).toBe(1);
  });

  const refused: [string, Make][] = [
    ['is signed by nobody', () => new UnsecuredJWT(claims).setExpirationTime(later).encode()],
    ['takes the public key for a secret', async () => mixedUp(await exportSPKI(rsa.publicKey))],
    ['takes the served key for a secret', () => mixedUp(JSON.stringify(served))],
    ['names the key of another', () => token({ alg: 'RS256', kid: 'ec' }, rsa.privateKey)],
    ['names a key that is not served', () => token({ alg: 'RS256', kid: 'gone' }, rsa.privateKey)],
    [
      'is signed by another key of the same name',
      async () => token({ alg: 'ES256', kid: 'ec' }, (await generateKeyPair('ES256')).privateKey),
    ],
    ['is no token', () => 'a.b.c'],
  ];
  const mixedUp = (text: string) => token({ alg: 'HS256', kid: 'rsa' }, new TextEncoder().encode(text));
  test.each(refused)('is refused when it %s', async (_, make) => {
    expect(await verifier().verify(await make(), now)).toEqual(refusedAs(/not valid/));
  });

  test('is neither believed nor refused while they cannot be had, unless they were', async () => {
    const [early, late, before] = [verifier(), verifier(), served];
    const sound = await token({ alg: 'ES256', kid: 'ec' }, ec.privateKey);
    await early.ready();
    served = 'an error';
    expect(await early.verify(sound, now)).toMatchObject({ ok: true });
    await expect(early.ready()).resolves.toBeUndefined();
    await expect(late.verify(sound, now)).rejects.toThrow(KeysUnavailableError);
    await expect(late.ready()).rejects.toThrow();
    served = before;
  });
});
