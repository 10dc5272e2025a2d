import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until, type Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { type Answer, type RunningApi, startApi } from './running-api.js';

jest.setTimeout(60_000);

const [ISSUER, AUDIENCE] = ['https://identity.example', 'expunge'];
const claims = { tenant: 'acme', scope: 'ops:read' };

/** Serves public keys as whoever signs tokens does, at one address, while it is there. */
class KeyServer {
  #server: Server | null = null;
  #port = 0;
  readonly keys: JWK[] = [];

  get url(): string {
    return `http://127.0.0.1:${this.#port}/jwks.json`;
  }

  async start(): Promise<void> {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: this.keys }));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

let vhost: Vhost;
let database: Database;
let prefix: string;
let api: RunningApi;
const served = new KeyServer();
let keys: KeyPair;
let others: KeyPair;
/** What was answered before the keys could be had. */
let whileAway: { asked: Answer; ready: Answer };

const get = (token: string) => api.request('GET', '/api/jobs/health', { token });
const ready = () => api.request('GET', '/health/ready', { token: null });

beforeAll(async () => {
  [vhost, database] = await Promise.all([freshVhost(), freshDatabase('api')]);
  [keys, others] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  served.keys.push({ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' });
  prefix = `${unique('jwks')}-`;
  // Its address, and nobody there yet.
  await served.start();
  await served.stop();
  api = await startApi({
    RABBITMQ_URL: vhost.url,
    MONGODB_URL: database.url,
    DATABASE_PREFIX: prefix,
    JWT_SECRET: '',
    JWT_JWKS_URL: served.url,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
  });
  expect(await api.broker.whenConnected(10_000)).toBe(true);
  whileAway = { asked: await get(await signed()), ready: await ready() };
  await served.start();
  await until('the keys are had', async () => (await ready()).status === 200, 30_000);
});

afterAll(async () => {
  await api.stop();
  await served.stop();
  const client = await MongoClient.connect(database.url);
  await client.db(`${prefix}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

interface Signing {
  issuer?: string;
  audience?: string;
  expires?: string;
  by?: KeyPair;
}

const token = ({ issuer = ISSUER, audience = AUDIENCE, expires = '1m' }: Signing = {}) =>
  new SignJWT(claims).setIssuer(issuer).setAudience(audience).setExpirationTime(expires);

const signed = (signing: Signing = {}) =>
  token(signing)
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign((signing.by ?? keys).privateKey);

/** By whoever takes the public key for a secret. */
const signedWithPublic = (secret: string) =>
  token().setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(new TextEncoder().encode(secret));

describe('with keys that are served', () => {
  test('a token by one of them is believed', async () => {
    expect((await get(await signed())).status).toBe(200);
  });

  const refused: [string, () => string | Promise<string>, string][] = [
    ['of another issuer', () => signed({ issuer: 'https://elsewhere.example' }), 'is of another issuer'],
    ['for another audience', () => signed({ audience: 'another' }), 'is for another audience'],
    ['that has expired', () => signed({ expires: '-1s' }), 'has expired'],
    ['by another key under its name', () => signed({ by: others }), 'is not valid'],
    [
      'signed by nobody',
      () => new UnsecuredJWT(claims).setIssuer(ISSUER).setAudience(AUDIENCE).setExpirationTime('1m').encode(),
      'is not valid',
    ],
    [
      'signed with the public key, as PEM, for a secret',
      async () => signedWithPublic(await exportSPKI(keys.publicKey)),
      'is not valid',
    ],
    [
      'signed with the public key, as it is served, for a secret',
      () => signedWithPublic(JSON.stringify(served.keys[0])),
      'is not valid',
    ],
  ];
  test.each(refused)('a token %s is a 401', async (_, make, why) => {
    const { status, headers, body } = await get(await make());
    expect({ status, code: body['code'], detail: body['detail'] }).toEqual({
      status: 401,
      code: 'unauthenticated',
      detail: `The bearer token is refused: the token ${why}.`,
    });
    expect(headers.get('www-authenticate')).toContain(`error="invalid_token", error_description="the token ${why}"`);
  });
});

describe('while the keys cannot be had', () => {
  test('nothing is said of a token, but to try again', () => {
    const { status, headers, body } = whileAway.asked;
    expect({ status, code: body['code'] }).toEqual({ status: 503, code: 'keys-unavailable' });
    expect(headers.get('retry-after')).toBe('5');
  });

  test('the api is not ready, and says that it is the keys', () => {
    expect(whileAway.ready).toMatchObject({
      status: 503,
      body: { status: 'not-ready', checks: { store: null, 'token-keys': expect.any(String) } },
    });
  });

  test('keys that were had before are believed, and the api is ready', async () => {
    await served.stop();
    expect((await get(await signed())).status).toBe(200);
    expect((await ready()).status).toBe(200);
  });
});
