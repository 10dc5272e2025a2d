import type { DeletionJob, Plan } from '../../src/deletion-job/deletion-job.js';
import { consequenceOf, resolvePlan } from '../../src/deletion-job/resolve-plan.js';
import { referred, standing, type Steps } from './calls.js';
import { NOW } from './clock.js';
import type { Gone } from './stage.js';

/** What came of the plan, as BatchService asks for it. */
export function* lookUp(plan: Plan): Steps<Gone> {
  const still = yield* standing(plan);
  const held = yield* referred(plan);
  const gone = consequenceOf(plan, {
    standing: new Map(Object.entries(still)),
    referred: new Set(held),
    heldOutside: new Set(),
  });
  if (plan.failures.length > 0) yield { do: 'add-failures', failures: plan.failures };
  return gone;
}

export const resolved = (job: DeletionJob, gone: Gone, instance: string, wasRefused = false): DeletionJob =>
  resolvePlan(job, gone, { newlyRetained: [], instance, now: NOW, recordsNow: NOW, wasRefused });
