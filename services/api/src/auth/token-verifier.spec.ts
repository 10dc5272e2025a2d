import { describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { signToken, verifyToken } from './claims.js';

// Long enough for HS512 too, so that only its name is wrong.
const secret = new TextEncoder().encode('a secret '.repeat(8));
const now = new Date('2026-11-01T12:00:00Z');
const later = new Date(now.getTime() + 60_000);
const claims = { tenant: 'acme', scope: 'jobs:read jobs:write' };

const signed = (payload: object, alg = 'HS256', key = secret): Promise<string> =>
  new SignJWT({ ...payload }).setProtectedHeader({ alg }).setExpirationTime(later).sign(key);

describe('a bearer token', () => {
  test('tells tenant, scopes and who asks', async () => {
    expect(await verifyToken(await signToken({ ...claims, subject: 'ann' }, secret, later), secret, now)).toEqual({
      ok: true,
      caller: { tenant: 'acme', scopes: new Set(['jobs:read', 'jobs:write']), name: 'ann' },
    });
  });

  test('without a subject speaks for the tenant', async () => {
    expect(await verifyToken(await signToken(claims, secret, later), secret, now)).toMatchObject({
      caller: { name: 'acme' },
    });
  });

  const refused: [string, () => Promise<string> | string, RegExp][] = [
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
    const verified = await verifyToken(await make(), secret, now);
    expect(verified).toEqual({ ok: false, reason: expect.stringMatching(reason) as unknown });
  });
});
