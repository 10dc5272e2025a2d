import { Agent, request as send } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { System } from '../test/support/system.js';
import { figures } from './figures.js';
import { record } from './results.js';

const SECONDS = Number(process.env['SECONDS'] ?? 60);
/** Until the services' code is compiled: how long that takes is no measure of what they bear. */
const WARM_UP_SECONDS = 5;
const PER_SECOND = 200;
const CONNECTIONS = 50;
const FOLLOWERS = 50;
const KNOWN_JOBS = 50;

let system: System;
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(async () => {
  agent.destroy();
  await system.stop();
}, 60_000);

/** Resolves with the status once the body has been read. */
function ask(method: string, path: string, headers: Record<string, string>, body?: object): Promise<number> {
  const [api] = system.services.of('api');
  return new Promise((resolve, reject) => {
    const options = { method, agent, headers: { ...headers, 'content-type': 'application/json' } };
    const sent = send(`${api?.url}${path}`, options, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0)).once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}

const kindOf = (i: number): 'post' | 'list' | 'get' =>
  i % 50 === 0 ? 'post' : [1, 2].includes(i % 25) ? 'list' : 'get';

it(`${PER_SECOND} requests a second over ${CONNECTIONS} connections, for ${SECONDS} s`, async () => {
  const tenant = system.newTenant();
  const before = WARM_UP_SECONDS * PER_SECOND;
  const total = before + SECONDS * PER_SECOND;
  const records = await system.fill(tenant, KNOWN_JOBS + Math.ceil(total / 50), 0);
  const ids = records.map(({ _id }) => _id.toHexString());
  const ofOne = (id: string | undefined) => ({ resource: 'receipts', selection: { ids: [id] } });
  const known: string[] = [];
  for (const id of ids.splice(0, KNOWN_JOBS)) known.push(await system.request(tenant, ofOne(id)));
  await Promise.all(known.map((id) => system.untilEnded(tenant, id)));
  const headers = await system.authorization(tenant);
  const took = { get: [] as number[], list: [] as number[], post: [] as number[] };
  const one = async (i: number, due: number) => {
    const kind = kindOf(i);
    const status = await (kind === 'post'
      ? ask('POST', '/api/jobs', headers, ofOne(ids.pop()))
      : ask('GET', kind === 'list' ? '/api/jobs?limit=20' : `/api/jobs/${known[i % known.length]}`, headers));
    // From when it was due: what waits for a slow one has waited, too.
    if (i >= before) took[kind].push(performance.now() - due);
    if (status !== (kind === 'post' ? 202 : 200)) throw new Error(`${kind} answered ${status}`);
  };
  const asking: Promise<void>[] = [];
  const began = performance.now();
  for (let i = 0; i < total; i++) {
    const due = began + (i * 1000) / PER_SECOND;
    if (due > performance.now()) await delay(due - performance.now());
    asking.push(one(i, due));
  }
  await Promise.all(asking);
  const all = figures(Object.values(took).flat());
  const { get, list, post } = took;
  const result = { requests: total - before, all, get: figures(get), list: figures(list), post: figures(post) };
  record('api', result);
}, 900_000);

it(`events of a job on ${FOLLOWERS} streams`, async () => {
  const tenant = system.newTenant();
  const records = SECONDS * 100;
  await system.fill(tenant, records, 1);
  const options = { batch_size: 10, max_records_per_second: 100 };
  const id = await system.request(tenant, { selection: { all: true }, options });
  const streams = await Promise.all(Array.from({ length: FOLLOWERS }, () => system.follow(tenant, id)));
  await Promise.all(streams.map(({ ended }) => ended));
  const late = streams.flatMap(({ messages, receivedAt }) =>
    messages.flatMap(({ event, data }, i) => {
      if (event !== 'event') return [];
      const { type, time } = JSON.parse(data) as { type: string; time: string };
      // What had happened before somebody listened is no measure; nor is what others say of it.
      const isLive = type === 'BatchDeleted' && Date.parse(time) > (receivedAt[0] ?? 0);
      return isLive ? [(receivedAt[i] ?? 0) - Date.parse(time)] : [];
    }),
  );
  expect(late.length).toBeGreaterThan((FOLLOWERS * records) / 20);
  record('streams', { streams: FOLLOWERS, events: late.length, told_after: figures(late) });
}, 900_000);
