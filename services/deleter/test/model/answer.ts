import { ConflictError } from '@expunge/messaging';
import { answerPending, waitsForPlan } from '../../src/deletion-job/control.js';
import type { DeletionJob } from '../../src/deletion-job/deletion-job.js';
import { clock, type Handler, read, send, type Steps } from './calls.js';
import { dateOf, NOW } from './clock.js';
import { Held } from './held.js';
import { lookUp, resolved } from './resolution.js';
import type { Rules } from './rules.js';
import type { Stage } from './stage.js';

/** As AnswerService.answer. */
export function* answer(held: Held, instance: string, rules: Rules): Steps<undefined> {
  const { pending, lanes } = held.job;
  if (!pending) return;
  let change = held.job;
  const { plan } = lanes[0];
  if (plan && waitsForPlan(pending.type)) {
    const ahead = rules.msUntilTakeOver(held.job, dateOf(yield* clock()));
    if (ahead > 0) return yield* send(held.lane.turn);
    change = resolved(held.job, yield* lookUp(plan), instance);
  }
  yield* write(held, change, rules);
}

/** As AnswerService.resolveFenced, one round of it. */
export function* resolveFenced(stage: Stage & { part: 'fenced' }, instance: string, rules: Rules): Handler {
  const read1 = yield* read();
  const job = read1 && rules.stillMine(read1, stage.plan);
  if (!job) return;
  try {
    yield* write(new Held(job), resolved(job, stage.gone, instance, stage.wasRefused), rules);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    return stage;
  }
  return;
}

function* write(held: Held, change: DeletionJob, rules: Rules): Steps<undefined> {
  yield* held.write(held.job.pending ? answerPending(change, NOW) : change);
  yield* rules.settle(held);
  if (held.job.state === 'running') yield* send(held.lane.turn);
}
