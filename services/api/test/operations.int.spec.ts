import {
  type DiagnosisAnswer,
  type HealthAnswer,
  type RollCallAnswer,
  type WorkersAnswer,
  workQueues,
} from '@expunge/contracts';
import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type Database, freshDatabase, freshVhost, unique } from '../../../test/support/servers.js';
import { Bystander } from './broker.js';
import { NOBODY, type RunningApi, startApi } from './running-api.js';
import { FRESH, type StandInMonitor, standInMonitor } from './stand-in-monitor.js';

jest.setTimeout(60_000);

let vhost: Vhost;
let database: Database;
let bystander: Bystander;
let monitor: StandInMonitor;
let prefix: string;
/** The one reads from a monitor; of the other's none is there. */
let api: RunningApi;
let alone: RunningApi;

beforeAll(async () => {
  [vhost, database, monitor] = await Promise.all([freshVhost(), freshDatabase('api'), standInMonitor()]);
  bystander = new Bystander(vhost.url);
  prefix = `${unique('operations')}-`;
  const common = { RABBITMQ_URL: vhost.url, MONGODB_URL: database.url, DATABASE_PREFIX: prefix };
  api = await startApi({ ...common, MONITOR_URLS: monitor.url });
  alone = await startApi({ ...common, MONITOR_URLS: NOBODY });
  for (const one of [api, alone]) expect(await one.broker.whenConnected(10_000)).toBe(true);
});

afterAll(async () => {
  await Promise.all([api.stop(), alone.stop()]);
  await Promise.all([bystander.close(), monitor.stop()]);
  const client = await MongoClient.connect(database.url);
  await client.db(`${prefix}api`).dropDatabase();
  await client.close();
  await vhost.drop();
});

const read = (from: RunningApi, path: string, scope = 'jobs:read jobs:write ops:read') =>
  from.request('GET', `/api/jobs${path}`, { scope });

const AT = '2026-11-01T10:00:00.000Z';
const shownAsOf = { position: 17, at: FRESH.at, lag_ms: 0, monitor_heartbeat_age_ms: 900 };
const evidence = {
  source: 'broker',
  check: 'consumers of deleter.jobs',
  observed: '0 of ours',
  expected: 'one',
  at: AT,
};

describe('what a monitor tells', () => {
  test('of why a job stands is shown with its evidence', async () => {
    const diagnosis: DiagnosisAnswer['diagnosis'] = {
      code: 'CONSUMER:NONE',
      severity: 'blocking',
      since: AT,
      summary: 'Nobody consumes deleter.jobs.',
      evidence: [evidence],
      nextActions: ['Start a deleter.'],
      contributing: [],
      notChecked: [{ what: 'alarms', why: 'the management API answers 401' }],
    };
    monitor.answers.set('/internal/jobs/j1/diagnosis', { asOf: FRESH, diagnosis } satisfies DiagnosisAnswer);
    const { status, headers, body } = await read(api, '/j1/diagnosis');
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { nextActions, notChecked, ...same } = diagnosis;
    expect(body).toEqual({ ...same, next_actions: nextActions, not_checked: notChecked, as_of: shownAsOf });
    expect(monitor.asked.at(-1)).toBe('/internal/jobs/j1/diagnosis?tenant=acme');
  });

  test('of a job it does not know is a 404', async () => {
    expect((await read(api, '/unknown/diagnosis')).status).toBe(404);
  });

  test('of who listens is shown in snake_case', async () => {
    const workers: WorkersAnswer = {
      asOf: FRESH,
      at: AT,
      configuredQueues: ['deleter.jobs'],
      allKnownQueues: ['deleter.jobs', 'of.somebody'],
      listensToMaintenance: false,
      queues: [
        {
          name: 'deleter.jobs',
          service: 'deleter',
          declared: true,
          present: true,
          ready: 3,
          unacknowledged: 0,
          parked: 1,
          bindings: [{ exchange: 'maintenance', bindingKey: 'delete.*', declared: true, present: true, through: null }],
          consumers: [
            {
              consumerTag: 'deleter@d:deleter.jobs',
              service: 'deleter',
              instance: 'd',
              host: 'h',
              version: '1',
              prefetch: 8,
              since: AT,
              expected: true,
            },
          ],
          consumerCount: 1,
          missing: ['binding events.wanted'],
          unexpected: [],
        },
      ],
      workers: [],
      notChecked: [],
    };
    monitor.answers.set('/internal/workers', workers);
    expect((await read(api, '/worker/config')).body).toMatchObject({
      service_role: 'api',
      configured_queues: ['deleter.jobs'],
      all_known_queues: ['deleter.jobs', 'of.somebody'],
      listens_to_maintenance: false,
      queues: [
        {
          name: 'deleter.jobs',
          bindings: [{ exchange: 'maintenance', routing_key: 'delete.*', declared: true, present: true }],
          consumers: [{ service: 'deleter', instance: 'd', host: 'h', version: '1', prefetch: 8, expected: true }],
          missing: ['binding events.wanted'],
        },
      ],
      as_of: shownAsOf,
    });
  });

  test('of who listened when is paged by position', async () => {
    const data = { queue: 'deleter.jobs', consumerTag: 't', service: null, instance: null, host: null, version: null };
    const event = {
      position: 4,
      id: 'roll-call:1:0',
      type: 'ConsumerAttached',
      source: 's',
      sequence: null,
      time: AT,
      data,
    };
    monitor.answers.set('/internal/workers/events', { asOf: FRESH, events: [event], next: 4 } satisfies RollCallAnswer);
    expect((await read(api, '/worker/events?after=3&limit=1')).body).toEqual({
      events: [{ position: 4, id: 'roll-call:1:0', type: 'ConsumerAttached', time: AT, data }],
      next: 4,
      as_of: shownAsOf,
    });
    expect(monitor.asked.at(-1)).toBe('/internal/workers/events?after=3&limit=1');
    expect((await read(api, '/worker/events?after=x')).body).toMatchObject({ errors: [{ parameter: 'after' }] });
  });

  test('of the whole is shown', async () => {
    const ok = { status: 'ok' as const, detail: null };
    const health: HealthAnswer = {
      asOf: FRESH,
      status: 'ok',
      reasons: [],
      queues: [],
      scheduler: ok,
      workerConfig: ok,
      stores: {},
      fold: ok,
      notChecked: [],
    };
    monitor.answers.set('/internal/health', health);
    expect((await read(api, '/health')).body).toMatchObject({ status: 'ok', worker_config: ok, as_of: shownAsOf });
  });

  test.each(['/worker/config', '/worker/events', '/health'])('on %s needs the scope ops:read', async (path) => {
    expect((await read(api, path, 'jobs:read jobs:write')).status).toBe(403);
  });
});

describe('with no monitor there', () => {
  test('the api says so, that the broker answers, and which queues nobody consumes', async () => {
    const { status, body } = await read(alone, '/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'down', as_of: null, fold: { status: 'down', detail: 'no monitor answers' } });
    expect(JSON.stringify(body['reasons'])).toContain('deleter.jobs lacks a consumer of deleter');
    const config = await read(alone, '/worker/config');
    expect(config.body).toMatchObject({ listens_to_maintenance: false, as_of: null });
    const what = (config.body['not_checked'] as { what: string; why: string }[]).map((one) => one.what);
    expect(what).toEqual(['jobs', 'bindings', 'consumers', 'heartbeats', 'alarms']);
  });

  test('an accepted job is said to be unknown of, and an unknown one to be unknowable', async () => {
    const body = { resource: 'receipts', selection: { all: true } };
    const accepted = await alone.request('POST', '/api/jobs', { body });
    expect(accepted.status).toBe(202);
    const { body: diagnosis } = await read(alone, `/${accepted.body['id'] as string}/diagnosis`);
    expect(diagnosis).toMatchObject({ code: 'MONITOR:STALE', severity: 'warning', as_of: null });
    expect(diagnosis['summary']).toContain('deleter.jobs lacks a consumer of deleter');
    expect((await read(alone, '/unknown/diagnosis')).status).toBe(503);
    const foreign = await alone.request('GET', `/api/jobs/${accepted.body['id'] as string}/diagnosis`, {
      tenant: 'other',
    });
    expect(foreign.status).toBe(503);
  });

  test('a queue that is gone is missed', async () => {
    const { name } = workQueues.storageCleanerBatches;
    const missing = async () => {
      await bystander.deleteQueue(name);
      const { queues } = (await read(alone, '/worker/config')).body as {
        queues: { name: string; missing: string[] }[];
      };
      return queues.find((queue) => queue.name === name)?.missing;
    };
    // The api declares it again every 5 s.
    expect([await missing(), await missing()]).toContainEqual([`queue ${name}`]);
  });
});
