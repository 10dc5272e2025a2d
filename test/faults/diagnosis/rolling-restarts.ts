import { setTimeout as delay } from 'node:timers/promises';
import { type Service, until } from '@expunge/local-stack';
import { ended, type ShownDiagnosis, type System } from '../../support/system.js';

const JOBS_AT_ONCE = 4;
const RECORDS = 300;
const JOB_WITHIN_MS = 120_000;
const ASKED_EVERY_MS = 500;
const BETWEEN_RESTARTS_MS = 3_000;
const RESTARTED_WITHIN_MS = 60_000;

export interface Rolled {
  readonly restarts: number;
  readonly jobs: number;
  readonly answers: number;
  /** Each verdict that was said to block, asked for or told as an event: two of each service run, so none is true. */
  readonly blocking: string[];
  /** How many answers had which code. */
  readonly codes: Record<string, number>;
}

/** Jobs, one after another on several lanes, while every instance is stopped in order and started again, one at a time. */
export async function rollUnderLoad(system: System, minutes: number): Promise<Rolled> {
  const over = AbortSignal.timeout(minutes * 60_000);
  const blocking: string[] = [];
  const codes: Record<string, number> = {};
  let [restarts, jobs, answers] = [0, 0, 0];

  const note = (job: string, { code, severity, summary, evidence }: ShownDiagnosis) => {
    answers += 1;
    codes[String(code)] = (codes[String(code)] ?? 0) + 1;
    if (severity === 'blocking') blocking.push(JSON.stringify({ job, code, summary, evidence }));
  };

  const load = async (lane: number) => {
    while (!over.aborted) {
      const tenant = system.newTenant();
      await system.fill(tenant, RECORDS, 1);
      // A lane of each pace: as fast as it goes, and so that one job sees several restarts.
      const options = { batch_size: 5, max_records_per_second: lane === 0 ? undefined : 10 * lane };
      const id = await accepted(system, tenant, { selection: { all: true }, options });
      const end = Date.now() + JOB_WITHIN_MS;
      for (let done = false; !done;) {
        if (Date.now() > end) throw new Error(`job ${id} was not done within ${JOB_WITHIN_MS / 1000} s`);
        await delay(ASKED_EVERY_MS);
        const said = await system.diagnosis(tenant, id).catch(() => null);
        if (said) note(id, said);
        done = ended.includes((await system.job(tenant, id))?.status ?? '');
      }
      const told = (await system.heardOf(id)).filter(({ data }) => data['severity'] === 'blocking');
      blocking.push(...told.map(({ data }) => `told as an event: ${JSON.stringify({ job: id, ...data })}`));
      jobs += 1;
    }
  };

  const roll = async () => {
    for (let i = 0; !over.aborted; i++) {
      // The tests ask the first api, and nothing is known of what nobody answers.
      const others = system.services.all.filter(({ name }) => name !== 'api-1');
      await restarted(others[i % others.length] as Service);
      restarts += 1;
      await delay(BETWEEN_RESTARTS_MS);
    }
  };

  await Promise.all([roll(), ...Array.from({ length: JOBS_AT_ONCE }, (_, lane) => load(lane))]);
  return { restarts, jobs, answers, blocking, codes };
}

/** A 503 while its only way to the broker changes hands is repeated, as a client does. */
async function accepted(system: System, tenant: string, body: object): Promise<string> {
  let id = '';
  const ask = async () => {
    id = await system.request(tenant, body, { 'idempotency-key': tenant }).catch(() => '');
    return id !== '';
  };
  await until('a 202', ask, 30_000);
  return id;
}

async function restarted({ process, url, name }: Service): Promise<void> {
  const { pid } = process;
  process.kill('SIGTERM');
  const isReady = async () => {
    if (process.pid === pid) return false;
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    return answer?.ok === true;
  };
  await until(`another ${name}`, isReady, RESTARTED_WITHIN_MS);
}
