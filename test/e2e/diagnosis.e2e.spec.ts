import { type Supervised, until } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { System } from '../support/system.js';

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

const RECORDS = 300;
/** Generous: what is held here is the verdict, not how soon it comes. */
const VERDICT_WITHIN_MS = 40_000;

const process = (name: 'deleter' | 'storage-cleaner'): Supervised => system.services.of(name)[0]!.process;

async function slowJob(): Promise<{ tenant: string; id: string }> {
  const tenant = system.newTenant();
  await system.fill(tenant, RECORDS, 1);
  const options = { batch_size: 5, max_records_per_second: 40 };
  const id = await system.request(tenant, { selection: { all: true }, options });
  await system.until(tenant, id, 'its first batches', (job) => job.progress.succeeded > 10);
  return { tenant, id };
}

const untilVerdict = ({ tenant, id }: { tenant: string; id: string }, code: string | null) =>
  system.until(tenant, id, `verdict ${code}`, (job) => (job.diagnosis?.code ?? null) === code, VERDICT_WITHIN_MS, 500);

/** The verdicts that were told, in their order. */
const toldOf = async (job: string) =>
  (await system.heardOf(job)).filter(({ type }) => type === 'JobDiagnosisChanged').map(({ data }) => data['code']);

describe('a job that stands says why, and goes on when that is mended', () => {
  it.each(['deleter', 'storage-cleaner'] as const)('with its %s frozen', async (service) => {
    const job = await slowJob();
    process(service).freeze();
    const { diagnosis } = await untilVerdict(job, 'WORKER:NO_HEARTBEAT');
    expect(diagnosis).toMatchObject({ severity: 'blocking' });
    expect(diagnosis?.summary).toContain(`${service}@${service}-1 was the last`);
    await until(
      'it is an event',
      async () => (await toldOf(job.id)).includes('WORKER:NO_HEARTBEAT'),
      VERDICT_WITHIN_MS,
    );
    process(service).thaw();
    const ended = await system.untilEnded(job.tenant, job.id, 120_000);
    expect(ended).toMatchObject({ status: 'completed', progress: { succeeded: RECORDS }, diagnosis: null });
    await until(
      'that it moves again is an event',
      async () => (await toldOf(job.id)).at(-1) === null,
      VERDICT_WITHIN_MS,
    );
  });

  it('paused by a person', async () => {
    const job = await slowJob();
    expect((await untilVerdict(job, 'THROTTLE:RATE')).diagnosis?.severity).toBe('info');
    await system.ask(job.tenant, job.id, 'pause');
    expect((await untilVerdict(job, 'USER:PAUSED')).diagnosis?.summary).toBe('Paused.');
    await system.ask(job.tenant, job.id, 'resume');
    expect(await system.untilEnded(job.tenant, job.id, 120_000)).toMatchObject({
      status: 'completed',
      diagnosis: null,
    });
  });

  it('with every deleter stopped in order', async () => {
    await process('deleter').stop(20_000);
    const tenant = system.newTenant();
    await system.fill(tenant, 3, 1);
    const id = await system.request(tenant, { selection: { all: true } });
    const { diagnosis } = await untilVerdict({ tenant, id }, 'CONSUMER:NONE');
    expect(diagnosis?.summary).toMatch(/^Nobody consumes deleter\.jobs\. deleter@deleter-1 was stopped \d+ s ago\.$/);
  });
});
