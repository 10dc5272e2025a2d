import { controlVerdict } from '../../src/deletion-job/control.js';
import { fail } from '../../src/deletion-job/delay-job.js';
import {
  dueAt,
  type DeletionJob,
  hasTurns,
  type Plan,
  type PlannedRecord,
} from '../../src/deletion-job/deletion-job.js';
import { refuseRecord } from '../../src/deletion-job/refuse-record.js';
import { msUntilTakeOver, sliceVerdict } from '../../src/deletion-job/slice-verdict.js';
import type { Held } from './held.js';
import { mayBegin } from './clock.js';
import { perform } from './perform.js';
import type { Steps } from './calls.js';
import { lookUp } from './resolution.js';
import type { Gone } from './stage.js';

/** What the model goes by: the core itself, and the few decisions that stand in the services. A mutant overrides one. */
export interface Rules {
  perform: typeof perform;
  sliceVerdict: typeof sliceVerdict;
  controlVerdict: typeof controlVerdict;
  msUntilTakeOver: typeof msUntilTakeOver;
  hasTurns: typeof hasTurns;
  fail: typeof fail;
  mayBegin: (plan: Plan, tick: number) => boolean;
  /** Whether a delete's filter matches a record with these keys. */
  mayGo: (keys: readonly string[], planned: ReadonlySet<string>) => boolean;
  watches: (job: DeletionJob) => boolean;
  /** Whether a job that fails resolves its plan first. */
  resolvesBeforeFailing: boolean;
  /** Whether a request that lost its fence to somebody else reads again. */
  takesRequestAgain: boolean;
  /** Whether a refusal is noted with its request, as an answer is. */
  notesRefusals: boolean;
  /** What a slice that lost its place resolves; null: the plan is somebody else's by now. */
  stillMine: (job: DeletionJob, plan: Plan) => DeletionJob | null;
  /** What of a plan went though its delete was refused. */
  lookUpRefused: (plan: Plan) => Steps<Gone>;
  /** What is written once a record is refused alone. */
  refuseRecord: (job: DeletionJob, record: PlannedRecord) => Steps<DeletionJob>;
  settle: (held: Held) => Steps<undefined>;
}

export const rules: Rules = {
  perform,
  sliceVerdict,
  controlVerdict,
  msUntilTakeOver,
  hasTurns,
  fail,
  mayBegin,
  mayGo: (keys, planned) => keys.every((key) => planned.has(key)),
  watches: (job) => dueAt(job) !== null,
  resolvesBeforeFailing: true,
  takesRequestAgain: true,
  notesRefusals: true,
  stillMine: (job, plan) => {
    const standing = job.lanes[0].plan;
    return standing?.owner === plan.owner && standing.until.getTime() === plan.until.getTime() ? job : null;
  },
  lookUpRefused: lookUp,
  // eslint-disable-next-line require-yield -- it makes no call; a mutant does
  refuseRecord: function* (job, record) {
    return refuseRecord(job, record, { code: 'DocumentValidationFailure', message: '' });
  },
  settle: (held) => held.settle(),
};
