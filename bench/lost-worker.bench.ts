import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freezeHolder } from '../test/support/freeze-holder.js';
import { System } from '../test/support/system.js';
import { figures } from './figures.js';
import { record } from './results.js';

const TRIALS = Number(process.env['TRIALS'] ?? 20);
/** Enough that the job is not over before its worker is lost. */
const RECORDS = 20_000;
const BATCH = 10;

let system: System;
beforeAll(async () => {
  // Whoever dies stays dead until the trial is over.
  system = await System.start({ deleters: 2, supervised: false });
}, 120_000);
afterAll(() => system.stop(), 60_000);

const requests = { pause: 'paused', cancel: 'cancelled' } as const;

/** From the request, which is sent as soon as the worker is lost, until the API says that it took effect; milliseconds. */
async function trial(verb: keyof typeof requests, fault: 'dead' | 'frozen'): Promise<number> {
  const tenant = system.newTenant();
  await system.fill(tenant, RECORDS, 0);
  const id = await system.request(tenant, { selection: { all: true }, options: { batch_size: BATCH } });
  const holder = await freezeHolder(system, id);
  if (fault === 'dead') holder.process.kill('SIGKILL');
  const began = performance.now();
  await system.ask(tenant, id, verb);
  await system.until(tenant, id, verb, ({ status }) => status === requests[verb], 120_000, 20);
  const took = performance.now() - began;
  if (fault === 'dead') await holder.process.restart();
  else holder.process.thaw();
  const { progress } = await system.until(tenant, id, 'an answer', () => true);
  expect(await system.receipts.countDocuments({ tenantId: tenant })).toBe(RECORDS - progress.succeeded);
  await system.ask(tenant, id, 'cancel').catch(() => undefined);
  return took;
}

it.each(['dead', 'frozen'] as const)(
  `pause and cancel of a job whose worker is %s, another alive, ${TRIALS} times each`,
  async (fault) => {
    const took: Record<keyof typeof requests, number[]> = { pause: [], cancel: [] };
    for (let n = 0; n < TRIALS; n++) {
      // In turns: the broker deals requests out in turns, too, and one verb would always meet the worker that is lost.
      const verbs = n % 2 === 0 ? (['pause', 'cancel'] as const) : (['cancel', 'pause'] as const);
      for (const verb of verbs) took[verb].push(await trial(verb, fault));
    }
    const result = { trials: TRIALS, worker: fault, pause: figures(took.pause), cancel: figures(took.cancel) };
    record('lost-worker', result);
  },
  3_600_000,
);
