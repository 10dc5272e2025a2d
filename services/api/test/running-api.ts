import 'reflect-metadata';
import { type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { BrokerConnection, BrokerPublisher } from '@expunge/messaging';
import { Activity, frameworkLogger, identify, Readiness, readSettings, RuntimeModule } from '@expunge/runtime';
import { Global, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { pino } from 'pino';
import { ApiModule } from '../src/api.module.js';
import { Described, type OpenApi } from '../../../test/support/described.js';
import { signToken } from '../src/auth/claims.js';
import { configureHttp } from '../src/configure-http.js';
import { openApiOf } from '../src/openapi/document.js';
import { apiSettings } from '../src/settings.js';
import { BEAT_EVERY } from '../src/stream/streams.service.js';

export const SECRET = 'a secret of at least thirty-two bytes';
export const NOBODY = 'http://127.0.0.1:9';

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** The api in this process, over real HTTP; everything it talks to is given by URL. */
export interface RunningApi {
  app: INestApplication;
  url: string;
  broker: BrokerConnection;
  /** Every line it logged. */
  logged: string[];
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  stop(): Promise<void>;
}

/** Times that are too long for a test. */
export interface Shortened {
  idleMs?: number;
  beatEveryMs?: number;
}

export interface RequestOptions {
  /** Text and bytes go as they are, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  tenant?: string;
  scope?: string;
  /** Null: none. */
  token?: string | null;
}

export async function startApi(
  environment: Record<string, string>,
  { idleMs, beatEveryMs }: Shortened = {},
): Promise<RunningApi> {
  const settings = readSettings(apiSettings, { JWT_SECRET: SECRET, MONITOR_URLS: NOBODY, ...environment });
  const identity = identify('api', undefined, 'test');
  const logged: string[] = [];
  const lines = new PassThrough();
  lines.on('data', (line: Buffer) => logged.push(line.toString()));
  const log = pino({ level: 'info' }, lines);
  const broker = new BrokerConnection({ url: settings.RABBITMQ_URL, identity, log });
  const publisher = new BrokerPublisher({ broker, log });
  const runtime = { identity, settings, log, broker, publisher, readiness: new Readiness(), activity: new Activity() };

  const beats = beatEveryMs === undefined ? [] : [{ provide: BEAT_EVERY, useValue: beatEveryMs }];
  @Global()
  @Module({ imports: [RuntimeModule.of(runtime), ApiModule], providers: beats, exports: beats })
  class ApiUnderTest {}
  const app = await NestFactory.create(ApiUnderTest, { logger: frameworkLogger(log), abortOnError: false });
  configureHttp(app, idleMs);
  broker.start();
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer() as { address(): AddressInfo };
  const url = `http://127.0.0.1:${String(server.address().port)}`;

  return {
    app,
    url,
    broker,
    logged,
    request: (method, path, options = {}) => request(url, method, path, options),
    stop: async () => {
      await app.close();
      await publisher.close();
      await broker.close();
      lines.end();
    },
  };
}

async function request(url: string, method: string, path: string, options: RequestOptions): Promise<Answer> {
  const { body, headers = {}, tenant = 'acme', scope = 'jobs:read jobs:write' } = options;
  const token = options.token === undefined ? await tokenOf({ tenant, scope }) : options.token;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const answer = {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  };
  const contentType = response.headers.get('content-type');
  const violations = !path.startsWith('/api') ? [] : described.violationsOf({ method, path, contentType, ...answer });
  if (violations.length > 0) throw new Error(`the answer is not as described: ${violations.join('; ')}`);
  return answer;
}

/** Whatever a test asks, the answer is held against this. */
const described = new Described(openApiOf('test') as unknown as OpenApi);

function isRaw(body: unknown): body is string | Buffer<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array;
}

export function tokenOf(
  claims: { tenant: string; scope: string },
  secret = SECRET,
  expiresAt = new Date(Date.now() + 60_000),
): Promise<string> {
  return signToken(claims, new TextEncoder().encode(secret), expiresAt);
}
