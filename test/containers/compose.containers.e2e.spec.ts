import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codeBlocks, page, section } from '../docs/markdown.js';
import { seen } from '../support/seen.js';
import type { ShownJob } from '../support/system.js';
import { Compose, whyNoCompose } from './compose.js';

const services = ['api', 'deleter', 'monitor', 'storage-cleaner'];
const [path = '', steering = ''] = codeBlocks(section(page('README.md'), '## With Docker'), 'sh');
const BUILD_MS = 1_800_000;

// Without an engine it is said, and skipped; `npm run test:containers` insists.
const missing = process.env['EXPUNGE_SERVERS'] === 'containers' ? null : whyNoCompose();
if (missing !== null) process.stdout.write(`expunge: compose is not tried: ${missing}\n`);

let compose: Compose;
(missing === null ? describe : describe.skip)("a newcomer's path through compose", () => {
  beforeAll(async () => {
    compose = await Compose.create();
    process.stdout.write(`expunge: ${compose.description}\n`);
  });
  afterAll(() => compose.remove(), 120_000);

  let token: string;
  let job: ShownJob;
  const get = async (url: string, authorization: string): Promise<unknown> =>
    (await fetch(url, { headers: { authorization }, signal: AbortSignal.timeout(15_000) })).json();
  const api = (what: string) => get(`http://localhost:${compose.ports.api}${what}`, `Bearer ${token}`);

  it(
    'is what the README says: up, filled, a job requested',
    async () => {
      const told = await compose.shell(`${path}\nprintf '\\n%s\\n' "$TOKEN"`);
      token = told.trim().split('\n').at(-1) ?? '';
      const [, id = ''] = /"id":"([^"]+)"/.exec(told) ?? [];
      job = await seen(
        'the job is over',
        async () => {
          const shown = (await api(`/api/jobs/${id}`)) as ShownJob;
          return shown.completed_at !== null && shown;
        },
        120_000,
      );
      expect(job).toMatchObject({
        status: 'completed',
        progress: { succeeded: 2_000, failed_count: 0, objects: { purged: 4_000, pending: 0 } },
        residue: { records: { left: 0 }, objects: { present: 0 } },
      });
    },
    BUILD_MS,
  );

  it('leads to the trace, which crosses all four services', async () => {
    const { links, trace_id: traceId } = job as ShownJob & { links: { trace: string } };
    expect(links.trace).toBe(`http://localhost:${compose.ports.jaeger}/trace/${traceId ?? ''}`);
    await seen(
      'all services have exported',
      async () => {
        const { data } = (await get(`http://localhost:${compose.ports.jaeger}/api/traces/${traceId ?? ''}`, '')) as {
          data: { processes: Record<string, { serviceName: string }> }[];
        };
        const names = data.flatMap(({ processes }) => Object.values(processes).map(({ serviceName }) => serviceName));
        return services.every((service) => names.includes(service));
      },
      60_000,
    );
  }, 90_000);

  it("leads to RabbitMQ's management page, where the work queues have consumers", async () => {
    const basic = `Basic ${Buffer.from('expunge:expunge').toString('base64')}`;
    const queues = (await get(`http://localhost:${compose.ports.management}/api/queues/%2F`, basic)) as {
      name: string;
      consumers: number;
    }[];
    for (const name of ['deleter.jobs', 'deleter.slices', 'storage-cleaner.batches', 'monitor.events']) {
      expect(queues.find((queue) => queue.name === name)?.consumers).toBeGreaterThan(0);
    }
  });

  it('becomes healthy, each service as nobody and on a read-only file system, published on this machine alone', async () => {
    const all = await seen(
      'all are healthy',
      async () => {
        const found = await compose.containers();
        return found.every(({ health }) => health === null || health === 'healthy') && found;
      },
      60_000,
    );
    for (const service of services) {
      expect(all.filter((one) => one.service === service)).toEqual([
        expect.objectContaining({ user: '10001:10001', readOnlyRoot: true, health: 'healthy' }),
      ]);
    }
    expect(new Set(all.flatMap(({ publishedOn }) => publishedOn))).toEqual(new Set(['127.0.0.1']));
  }, 90_000);

  it('pauses and resumes a job, and says why one stands whose deleter was stopped', async () => {
    const steps = steering.split(/^(?=curl -s -X POST|docker compose (?:stop|up -d) deleter)/m);
    expect(steps).toHaveLength(5);
    const [begin = '', pause = '', resume = '', stop = '', goOn = ''] = steps;
    const told = await compose.shell(`TOKEN=${token}\n${begin}\nprintf '\\n%s\\n' "$JOB"`);
    const id = told.trim().split('\n').at(-1) ?? '';
    const type = (lines: string) => compose.shell(`TOKEN=${token}\nJOB=${id}\n${lines}`);
    const until = (what: string, path: string, is: (shown: Record<string, unknown>) => boolean) =>
      seen(what, async () => is((await api(`/api/jobs/${id}${path}`)) as Record<string, unknown>), 60_000);
    await until('it runs', '', ({ status }) => status === 'running');
    await type(pause);
    await until('it is paused', '', ({ status }) => status === 'paused');
    await type(resume);
    await until('it runs again', '', ({ status }) => status === 'running');
    await type(stop);
    await until('nobody consumes', '/diagnosis', ({ code }) => code === 'CONSUMER:NONE');
    await until('no rate is told', '', ({ rate, status }) => rate === null && status === 'running');
    await type(goOn);
  }, 180_000);

  it('scales: three deleters, as the api sees them', async () => {
    await compose.shell('docker compose up -d --scale deleter=3');
    token = (
      await compose.shell(
        'docker compose exec -T api node services/api/dist/token.js --tenant demo --scope "jobs:read ops:read"',
      )
    ).trim();
    await seen(
      'three deleters consume',
      async () => {
        const config = JSON.stringify(await api('/api/jobs/worker/config'));
        return new Set(config.match(/"tag":"deleter@[^"]+:deleter\.slices"/g)).size === 3;
      },
      60_000,
    );
  }, 180_000);

  it('stops when it is told to, each service with exit code 0', async () => {
    await compose.shell('docker compose stop');
    const ended = (await compose.containers()).filter(({ service }) => services.includes(service));
    expect(ended).toHaveLength(6);
    for (const { exitCode } of ended) expect(exitCode).toBe(0);
  }, 120_000);
});
