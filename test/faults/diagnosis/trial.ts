import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@expunge/local-stack';
import { look } from '../look.js';
import { violationsOf } from '../oracle.js';
import { asTenant } from '../../support/running-job.js';
import type { Receipt, ShownDiagnosis, ShownJob } from '../../support/system.js';
import type { Fault, JobAtFault, JobShape, MadeFault } from './fault.js';
import type { Lane } from './lane.js';

/** After the later of fault and request, the first answer has the verdict. */
const NAMED_WITHIN_MS = 10_000;
const CLEARED_WITHIN_MS = 45_000;
const DONE_WITHIN_MS = 90_000;
const ASKED_EVERY_MS = 1_000;

/** Runs long enough for any fault to be made, and then ends soon. */
const usual: JobShape = { records: 120, batchSize: 4, rate: 10 };

export interface Outcome {
  readonly fault: string;
  /** Milliseconds after which the verdict was first seen; null: it was not. */
  readonly namedAfterMs: number | null;
  readonly clearedAfterMs: number | null;
  /** From the request for its job to the end of it. */
  readonly tookMs: number;
  /** Each verdict that differed from the one before, by the milliseconds after which it was seen. */
  readonly said: readonly (readonly [afterMs: number, code: string | null])[];
  /** What does not hold; nothing, or the fault was named, truly, in time, and the job done after its repair. */
  readonly violations: string[];
}

interface Asked extends JobAtFault {
  readonly planned: Receipt[];
}

/** One fault on a lane that is well, and is well again afterwards. */
export async function tryFault(lane: Lane, fault: Fault): Promise<Outcome> {
  const violations: string[] = [];
  const said: [number, string | null][] = [];
  const begunAt = Date.now();
  const outcome = { fault: fault.name, clearedAfterMs: null as number | null, said, violations };
  let made: MadeFault | undefined;
  try {
    await fault.before?.(lane);
    const job = await request(lane, { ...usual, ...(fault.job && { rate: undefined }), ...fault.job });
    made = await fault.make(lane, job);
    await observe(lane, fault, job, made, outcome);
    violations.push(...(await untilTold(lane, fault, job)));
    const repairedAt = Date.now();
    await made.repair();
    made = undefined;
    violations.push(...(await untilCleared(lane, fault, job)));
    outcome.clearedAfterMs = Date.now() - repairedAt;
    violations.push(...(await untilDone(lane, job)), ...(await untilEndTold(lane, fault, job)));
  } catch (error) {
    await Promise.resolve(made?.repair()).catch(() => undefined);
    violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const namedAfterMs = said.find(([, code]) => code === fault.code)?.[0] ?? null;
  return { ...outcome, namedAfterMs, tookMs: Date.now() - begunAt };
}

async function request({ system }: Lane, shape: JobShape): Promise<Asked> {
  const tenant = system.newTenant();
  const planned = await system.fill(tenant, shape.records, 1);
  const options = { batch_size: shape.batchSize, max_records_per_second: shape.rate };
  const id = await system.request(tenant, { selection: { all: true }, options });
  if (!shape.onlyAccepted)
    await system.until(tenant, id, 'its first batches', ({ progress }) => progress.succeeded > 0);
  return { tenant, id, planned };
}

/** Asks from the fault on, and holds what is answered first once its time has come. */
async function observe(
  { system }: Lane,
  fault: Fault,
  job: Asked,
  made: MadeFault,
  { said, violations }: { said: [number, string | null][]; violations: string[] },
): Promise<void> {
  const madeAt = Date.now();
  for (;;) {
    const askedAfterMs = Date.now() - madeAt;
    const answer = await system.diagnosis(job.tenant, job.id).catch((error: unknown) => error as Error);
    const code = answer instanceof Error ? answer.message : answer.code;
    if (said.at(-1)?.[1] !== code) said.push([Date.now() - madeAt, code]);
    if (fault.code === null && code !== null)
      violations.push(`a healthy job has the verdict ${JSON.stringify(answer)}`);
    if (askedAfterMs >= NAMED_WITHIN_MS) {
      violations.push(...(await judge(fault, answer, made)));
      return;
    }
    await delay(Math.max(0, Math.min(ASKED_EVERY_MS, NAMED_WITHIN_MS - (Date.now() - madeAt))));
  }
}

async function judge({ code }: Fault, said: ShownDiagnosis | Error, made: MadeFault): Promise<string[]> {
  if (said instanceof Error) return [`no verdict: ${said.message}`];
  if (said.code !== code) return [`not ${code}, but ${JSON.stringify(said, null, 1)}`];
  try {
    await made.isTrue(said);
    return [];
  } catch (error) {
    return [`${(error as Error).message}, of ${JSON.stringify(said, null, 1)}`];
  }
}

/** Waiting for its rate is what the job does anyway. */
async function untilCleared({ system }: Lane, fault: Fault, { tenant, id }: Asked): Promise<string[]> {
  let last: unknown;
  const isCleared = async () => {
    await delay(ASKED_EVERY_MS / 2);
    const said = await system.diagnosis(tenant, id).catch((error: unknown) => error as Error);
    last = said;
    return (
      !(said instanceof Error) &&
      said.severity !== 'blocking' &&
      (said.code !== fault.code || fault.code === null || said.code === 'THROTTLE:RATE')
    );
  };
  return until('an end of the verdict', isCleared, CLEARED_WITHIN_MS).then(
    () => [],
    (error: unknown) => [`${(error as Error).message}: ${JSON.stringify(last, null, 1)}`],
  );
}

/** Whatever it waited for, the job is done in the end: nothing left, nothing else gone, counts exact. */
async function untilDone({ system }: Lane, { tenant, id, planned }: Asked): Promise<string[]> {
  let shown: ShownJob | null = null;
  const isDone = async () => {
    shown = await system.job(tenant, id);
    if (shown?.status === 'completed') return true;
    const ask = (what: string | null) => system.ask(tenant, id, what).catch(() => undefined);
    if (shown?.status === 'completed_with_residue') await ask('retry');
    else if (shown && shown.max_records_per_second !== null) await ask(null);
    await delay(ASKED_EVERY_MS);
    return false;
  };
  await until('the job to be done', isDone, DONE_WITHIN_MS).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(shown)}`);
  });
  const mine = asTenant(tenant, id, planned);
  const violations = violationsOf(mine, await look(system, mine));
  const retried = (await system.heardOf(id)).some(({ type }) => type === 'PurgeRequested');
  // Which is what a retry of refused objects does.
  return retried ? violations.filter((violation) => !violation.endsWith('a key was handed over twice')) : violations;
}

/** An event is made of a verdict that has stood for two looks, 1.5 s apart. */
const untilTold = (lane: Lane, fault: Fault, job: Asked) =>
  untilVerdicts(lane, fault, job, 5_000, (codes) => codes.includes(fault.code));

const untilEndTold = (lane: Lane, fault: Fault, job: Asked) =>
  untilVerdicts(lane, fault, job, 15_000, (codes) => codes.at(-1) === null);

async function untilVerdicts(
  { system }: Lane,
  fault: Fault,
  { id }: Asked,
  withinMs: number,
  isSo: (codes: unknown[]) => boolean,
): Promise<string[]> {
  if (fault.isNoEvent || fault.code === null) return [];
  const told = async () =>
    (await system.heardOf(id)).filter(({ type }) => type === 'JobDiagnosisChanged').map(({ data }) => data['code']);
  return until('events of its verdicts', async () => isSo(await told()), withinMs).then(
    () => [],
    async () => [`${fault.code}, or its end, is not among the events: ${JSON.stringify(await told())}`],
  );
}
