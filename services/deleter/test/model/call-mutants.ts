import type { DeletionJob } from '../../src/deletion-job/deletion-job.js';
import { refuseRecord } from '../../src/deletion-job/refuse-record.js';
import type { Call } from './calls.js';
import { REST } from './invariants.js';
import type { Mutant } from './mutant.js';
import { type Outcome, perform, replace } from './perform.js';
import type { Size, World } from './world.js';

type Perform = typeof perform;
/** Another answer to one call; null: as ever. */
const instead =
  (other: (world: World, call: Call, worker: string, size: Size) => Outcome | null): Perform =>
  (world, worker, call, size) => {
    const answer = other(world, call, worker, size);
    return answer === null ? perform(world, worker, call, size) : answer;
  };

const plansAnew = (world: World, call: Call): call is Call & { do: 'write' } =>
  call.do === 'write' && call.job.lanes[0].plan !== null && world.job?.lanes[0].plan !== call.job.lanes[0].plan;

/** As if it had been sent by a worker that died at once. */
const deleting = (world: World, plan: World['deletes'][number]['plan']): World => ({
  ...world,
  deletes: [...world.deletes, { worker: null, plan, position: 0, deleted: 0, done: 'no' }],
});

/** A call that does something else, or at another time. */
export const callMutants: Mutant[] = [
  {
    name: 'a plan is written without moving the revision',
    wrong: {
      perform: instead((world, call) => {
        if (!plansAnew(world, call) || world.job?.revision !== call.job.revision) return null;
        return [call.job, { ...world, job: call.job }];
      }),
    },
    size: { budget: { repeats: 1 } },
    violates: 'no key is nowhere',
  },
  {
    name: 'a cancel that loses its compare-and-set is dropped',
    wrong: {
      perform: instead((world, call) =>
        call.do === 'fence' && call.job.revision !== world.job?.revision ? [null, world] : null,
      ),
      takesRequestAgain: false,
    },
    size: { requests: ['cancel-1'] },
    violates: REST,
  },
  {
    name: 'events leave the outbox without having been stored',
    wrong: { perform: instead((world, call) => (call.do === 'append' ? [null, world] : null)) },
    size: { budget: { purges: 1 } },
    violates: 'no key is nowhere',
  },
  {
    name: 'events leave the outbox before they are stored and confirmed',
    wrong: {
      perform: instead((world, call) => {
        if (call.do !== 'write' || world.job?.revision !== call.job.revision) return null;
        const before = new Set(world.job.outbox.map((event) => event.id));
        return replace(world, { ...call.job, outbox: call.job.outbox.filter((event) => !before.has(event.id)) });
      }),
    },
    size: { requests: ['pause-1'], budget: { crashes: 1 } },
    violates: 'no key is nowhere',
  },
  {
    name: 'a delete is sent before its plan is stored',
    wrong: {
      perform: instead((world, call, worker, size) => {
        if (plansAnew(world, call) && call.job.lanes[0].plan) {
          return perform(deleting(world, call.job.lanes[0].plan), worker, call, size);
        }
        return null;
      }),
    },
    size: { requests: ['cancel-1'] },
    violates: 'no key is nowhere',
  },
  {
    name: 'a delete is not waited for before the look-up',
    wrong: {
      perform: instead((world, call, worker) => {
        if (call.do !== 'answer-of-delete') return null;
        const deletes = world.deletes.map((one) => (one.worker === worker ? { ...one, worker: null } : one));
        return ['answered', { ...world, deletes: deletes.filter((one) => one.done === 'no') }];
      }),
    },
    size: {},
    violates: 'only what the standing plan names goes',
  },
  {
    name: 'a refused plan is dropped without a look at what stands',
    wrong: {
      // eslint-disable-next-line require-yield -- that is what is wrong with it
      lookUpRefused: function* () {
        return { gone: 0, objectKeys: [], kept: [] };
      },
    },
    size: { records: { a: ['ka'], b: ['kb'] }, batchSize: 2, refuses: ['b'] },
    violates: 'no key is nowhere',
  },
  {
    name: 'a refused record is noted as a failure before its plan says so',
    wrong: {
      refuseRecord: function* (job, record) {
        const refused = refuseRecord(job, record, { code: 'X', message: '' });
        yield { do: 'add-failures', failures: refused.lanes[0].plan?.failures ?? [] };
        return refused;
      },
    },
    size: { refuses: ['a'] },
    violates: 'a failure stands in the plan before it is noted, or was told',
  },
  {
    name: 'a request counts as known from its fence on',
    wrong: {
      perform: instead((world, call, worker, size) => {
        const outcome = perform(world, worker, call, size);
        if (call.do !== 'fence' || !call.pending || !outcome?.[0]) return null;
        const job = outcome[0] as DeletionJob;
        const known = { ...job, answered: [...job.answered, call.pending.id] };
        return [known, { ...outcome[1], job: known }];
      }),
    },
    size: { requests: ['pause-1'] },
    violates: 'an answered request has one answer',
  },
];
