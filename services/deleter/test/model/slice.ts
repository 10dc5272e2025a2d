import { ConflictError } from '@expunge/messaging';
import { delay, type Delay } from '../../src/deletion-job/delay-job.js';
import { isActive } from '../../src/deletion-job/deletion-job.js';
import { finish, nextPass, passEnd } from '../../src/deletion-job/end-pass.js';
import { isFull, passOver, planBatch, takeOver } from '../../src/deletion-job/plan-batch.js';
import { refusedAlone } from '../../src/deletion-job/refuse-record.js';
import { endSlice, startSlice } from '../../src/deletion-job/turn.js';
import { answer } from './answer.js';
import { answerOfDelete, clock, type Handler, page, read, send, type Steps } from './calls.js';
import { dateOf, MUCH_LATER, NOW, untilOf } from './clock.js';
import { Held } from './held.js';
import { lookUp, resolved } from './resolution.js';
import type { Rules } from './rules.js';
import type { ModelPage, Stage } from './stage.js';
import type { SliceMessage } from './world.js';

export interface Self {
  instance: string;
  process: string;
  /** Steps of one slice. */
  steps: number;
  rules: Rules;
}

/** As SliceService.run, up to the first batch. */
export function* slice(message: SliceMessage, self: Self): Handler {
  const { rules, instance, process } = self;
  const { turn, seen } = message;
  const job = yield* read();
  if (!job) return;
  const held = new Held(job);
  const verdict = rules.sliceVerdict(job, {
    turn,
    now: MUCH_LATER,
    process,
    atWork: false,
    seen,
    noProgressForMs: Infinity,
  });
  if (verdict.do === 'nothing') {
    if (!isActive(job.state)) yield* rules.settle(held);
    return;
  }
  if (verdict.do === 'answer') return yield* answer(held, instance, rules);
  if (verdict.do === 'wait') return yield* send(turn);
  if (verdict.do === 'watch') return yield* send(turn, job.writtenAt.toISOString());
  const standing = held.lane.plan !== null;
  if (standing && rules.msUntilTakeOver(job, dateOf(yield* clock())) > 0) return yield* send(turn);
  if (verdict.do === 'give-up') return yield* giveUp(held, self);
  yield* held.flush();
  yield* held.write(startSlice(held.job, process));
  if (standing) yield* held.write(takeOver(held.job, { owner: `${instance}:${turn}`, until: untilOf(yield* clock()) }));
  return batches(held, null, 1);
}

const batches = (held: Held, read: ModelPage | null, step: number): Stage & { part: 'batches' } => ({
  part: 'batches',
  job: held.job,
  flushed: [...held.flushed].sort(),
  page: read,
  step,
});

/** As one round of SliceService.batchByBatch, and the end of a slice. */
export function* batch(stage: Stage & { part: 'batches' }, self: Self): Handler {
  const held = new Held(stage.job, stage.flushed);
  const more = stage.step < self.steps;
  if (held.lane.plan) return yield* execute(held, stage, self);
  if (!more) {
    yield* held.flush();
    yield* held.write(endSlice(held.job));
    return yield* send(held.lane.turn);
  }
  const found = stage.page ?? (yield* page(held.lane.cursor as string | null, held.lane.batchLimit));
  if (found.closesAt === null) {
    if (yield* atPassEnd(held, self)) return;
  } else if (isFull(found)) {
    yield* held.write(planBatch(held.job, found, yield* planFacts(held, self)));
  } else {
    held.job = passOver(held.job, found.closesAt);
  }
  return batches(held, null, stage.step + 1);
}

function* planFacts(held: Held, { instance }: Self) {
  const owner = `${instance}:${held.lane.turn}`;
  return { owner, until: untilOf(yield* clock()), keyPrefix: null, now: NOW };
}

/** As BatchService.execute. What goes on meanwhile follows the sending: the server may take as long to begin. */
function* execute(held: Held, stage: Stage & { part: 'batches' }, self: Self): Handler {
  const { plan } = held.lane;
  if (!plan) throw new Error('there is no plan');
  const more = stage.step < self.steps;
  if (plan.records.length > 0) yield { do: 'delete', plan };
  yield* held.flush();
  const nextPage = more ? yield* page(plan.closesAt as string, held.lane.batchLimit) : null;
  const outcome = plan.records.length > 0 ? yield* answerOfDelete(plan) : 'answered';
  const wasRefused = outcome === 'refused';
  if (outcome !== 'answered' && !wasRefused) return yield* wait(held, slow, self);
  const gone = wasRefused ? yield* self.rules.lookUpRefused(plan) : yield* lookUp(plan);
  const alone = wasRefused ? refusedAlone(held.job, gone) : null;
  const job = alone
    ? yield* self.rules.refuseRecord(held.job, alone)
    : resolved(held.job, gone, self.instance, wasRefused);
  const next = !wasRefused && nextPage && isFull(nextPage) ? nextPage : null;
  try {
    yield* held.write(next ? planBatch(job, next, yield* planFacts(held, self)) : job);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    return { part: 'fenced', plan, gone, wasRefused };
  }
  return batches(held, next || wasRefused ? null : nextPage, stage.step + 1);
}

const slow: Delay = { cause: 'store', error: { code: 'RECORDS_SLOW', message: '' } };
const changing: Delay = { cause: 'still-changing', error: { code: 'STILL_CHANGING', message: '' } };

function* atPassEnd(held: Held, self: Self): Steps<boolean> {
  const end = passEnd(held.job);
  if (end === 'finished') {
    yield* held.flush();
    yield* held.write(finish(held.job, { instance: self.instance, now: NOW }));
    yield* self.rules.settle(held);
    return true;
  }
  held.job = nextPass(held.job);
  if (end === 'again') return false;
  yield* wait(held, changing, self);
  return true;
}

function* wait(held: Held, why: Delay, { instance, rules }: Self): Steps<undefined> {
  yield* held.write(delay(held.job, why, { instance, now: NOW }));
  yield* rules.settle(held);
  yield* send(held.lane.turn);
}

function* giveUp(held: Held, { instance, rules }: Self): Steps<undefined> {
  const { plan } = held.lane;
  if (plan && rules.resolvesBeforeFailing) {
    yield* held.write(resolved(held.job, yield* lookUp(plan), instance));
  }
  const error = { code: 'WORKER_LOST', message: '' };
  yield* held.write(rules.fail(held.job, error, { instance, now: NOW }));
  yield* rules.settle(held);
}
