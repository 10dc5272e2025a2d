import type { Fault } from './fault.js';
import { expectEvidence, expectSaid } from './said.js';

const nothing = () => Promise.resolve();

/** A job that waits as it was told to, or by a rule that has an end; and one that does not wait. */
export const intentFaults: Fault[] = [
  {
    name: 'somebody paused it',
    code: 'USER:PAUSED',
    make: async ({ system }, { tenant, id }) => {
      await system.ask(tenant, id, 'pause');
      await system.until(tenant, id, 'the pause', ({ status }) => status === 'paused');
      const paused = (await system.heardOf(id)).find(({ type }) => type === 'DeletionPaused');
      return {
        isTrue: (said) =>
          expectEvidence(said, { source: 'ledger', check: 'DeletionPaused', observed: `event ${paused?.sequence}` }),
        repair: () => system.ask(tenant, id, 'resume'),
      };
    },
  },
  {
    name: 'its rate is low',
    code: 'THROTTLE:RATE',
    job: { records: 120, rate: 4 },
    make: ({ system }, { tenant, id }) => ({
      isTrue: (said) => expectEvidence(said, { check: 'limit of the job', observed: '4 records a second' }),
      repair: () => system.ask(tenant, id, null),
    }),
  },
  {
    name: 'all jobs together are at their limit',
    code: 'THROTTLE:RATE',
    job: { records: 60 },
    before: (lane) => lane.restart('deleter', { MAX_RECORDS_PER_SECOND: '1' }),
    make: (lane) => ({
      isTrue: (said) => {
        expectSaid(said, 'MAX_RECORDS_PER_SECOND: 1 records a second');
        expectEvidence(said, { source: 'heartbeat', check: 'limit of all jobs', observed: /^1 records a second; / });
      },
      repair: () => lane.restart('deleter'),
    }),
  },
  {
    name: 'an index that it needs was dropped, and it tries again later',
    code: 'THROTTLE:BACKOFF',
    make: async ({ system }) => {
      const indexes = await system.receipts.indexes();
      const [index] = indexes.filter(({ key }) => 'tenantId' in (key as object));
      if (!index?.name) throw new Error('there is no such index');
      const { name, key } = index as { name: string; key: Record<string, 1> };
      await system.receipts.dropIndex(name);
      return {
        isTrue: (said) => expectEvidence(said, { source: 'ledger', check: 'BatchDelayed', observed: /index/i }),
        repair: async () => {
          await system.receipts.createIndex(key, { name }, {});
        },
      };
    },
  },
  {
    name: 'too many objects wait to be purged',
    code: 'THROTTLE:PURGE_BACKLOG',
    job: { records: 100, batchSize: 2, onlyAccepted: true },
    before: async (lane) => {
      lane.bucket.behave(({ keys }) => ({ does: 'pass', ...(keys.length > 0 && { after: inThreeSeconds() }) }));
      // More than are purged in the time in which the job is looked at.
      await lane.otherBatches(40);
      await lane.restart('deleter', { MAX_PENDING_OBJECTS: '8' });
    },
    make: (lane) => ({
      isTrue: (said) => expectEvidence(said, { source: 'ledger', check: 'BatchDelayed' }),
      repair: async () => {
        lane.bucket.behave(() => ({ does: 'pass' }));
        await lane.restart('deleter');
      },
    }),
  },
  {
    name: 'nothing',
    code: null,
    job: { records: 200, batchSize: 1 },
    make: () => ({ isTrue: nothing, repair: nothing }),
  },
];

const inThreeSeconds = () => new Promise<void>((resolve) => setTimeout(resolve, 3_000));
