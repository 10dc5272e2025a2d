import { type WorkQueue, workQueues } from '@expunge/contracts';
import type { ServiceName } from '@expunge/local-stack';
import { connect } from 'amqplib';
import { atBroker, declareQueue } from '../../support/broker.js';
import type { Fault } from './fault.js';
import { type Lane, withheld } from './lane.js';
import { expectEvidence, expectSaid } from './said.js';

const { deleterSlices, storageCleanerBatches } = workQueues;

const stopped = (service: ServiceName, queue: WorkQueue): Fault => ({
  name: `every ${service} was stopped`,
  code: 'CONSUMER:NONE',
  make: async (lane) => {
    lane.process(service).kill('SIGTERM');
    await lane.untilEnded(service);
    return {
      isTrue: (said) => {
        expectEvidence(said, { check: `consumers of ${queue.name}`, observed: '0 of ours' });
        expectSaid(said, `${lane.fullName(service)} was stopped`);
        const check = `last words of ${lane.fullName(service)}`;
        expectEvidence(said, { source: 'heartbeat', check, observed: /^stopped, / });
      },
      repair: () => lane.restart(service),
    };
  },
});

/** Takes everything of a queue, before ours do, and does nothing with it. */
async function stranger(lane: Lane, queue: string): Promise<() => Promise<void>> {
  const connection = await connect(lane.system.stack.rabbitmq.url);
  const channel = await connection.createChannel();
  await channel.consume(queue, () => undefined, { consumerTag: 'a-stranger', priority: 10 });
  return () => connection.close();
}

export const consumerFaults: Fault[] = [
  stopped('deleter', deleterSlices),
  stopped('storage-cleaner', storageCleanerBatches),
  {
    name: 'every storage-cleaner was stopped before anything of it went',
    code: 'CONSUMER:NONE',
    job: { records: 20, batchSize: 4, onlyAccepted: true },
    before: async (lane) => {
      lane.process('storage-cleaner').kill('SIGTERM');
      await lane.untilEnded('storage-cleaner');
      // One that has just looked at the bucket for another job would begin.
      await lane.restart('deleter');
    },
    make: (lane, { tenant, id }) => ({
      isTrue: async (said) => {
        expectEvidence(said, { check: `consumers of ${storageCleanerBatches.name}`, observed: '0 of ours' });
        const { progress } = (await lane.system.job(tenant, id))!;
        if (progress.succeeded > 0) throw new Error(`${progress.succeeded} records went before the bucket was asked`);
      },
      repair: () => lane.restart('storage-cleaner'),
    }),
  },
  {
    name: 'the broker cancelled the consumer, whose user may not read the queue any more',
    code: 'CONSUMER:CANCELLED',
    make: async (lane) => {
      const { name } = deleterSlices;
      await lane.user.permit(withheld('read', name));
      await atBroker(lane.system, (channel) => channel.deleteQueue(name));
      await declareQueue(lane.system, deleterSlices);
      return {
        isTrue: (said) =>
          expectEvidence(said, {
            source: 'heartbeat',
            check: `queues of ${lane.fullName('deleter')}`,
            observed: /^consumes deleter\.jobs, /,
          }),
        repair: () => lane.user.permit(),
      };
    },
  },
  {
    name: 'a stranger takes its slices',
    code: 'CONSUMER:UNEXPECTED',
    make: async (lane) => {
      const leave = await stranger(lane, deleterSlices.name);
      return {
        isTrue: (said) =>
          expectEvidence(said, { check: `consumers of ${deleterSlices.name}`, observed: /^a-stranger/ }),
        repair: leave,
      };
    },
  },
  {
    name: 'the storage-cleaner has its hands full with another job',
    code: 'CONSUMER:SATURATED',
    make: async (lane, { tenant }) => {
      const isOthers = (keys: string[]) => keys.length > 0 && !keys.some((key) => key.includes(`/${tenant}/`));
      lane.bucket.behave(({ keys }) => ({ does: isOthers(keys) ? 'nothing' : 'pass' }));
      // One more than it takes in hand.
      await lane.otherBatches(storageCleanerBatches.prefetch + 1);
      return {
        isTrue: (said) =>
          expectEvidence(said, {
            check: `work in hand of ${lane.fullName('storage-cleaner')}`,
            observed: new RegExp(`^${storageCleanerBatches.prefetch} of ${storageCleanerBatches.prefetch}, `),
          }),
        repair: async () => {
          lane.bucket.behave(() => ({ does: 'pass' }));
          await lane.restart('storage-cleaner');
        },
      };
    },
  },
  {
    name: 'every deleter was stopped, and the user of the management API lacks the tag "monitoring"',
    code: 'CONSUMER:NONE',
    make: async (lane) => {
      await lane.user.create(['management']);
      lane.process('deleter').kill('SIGTERM');
      await lane.untilEnded('deleter');
      return {
        isTrue: (said) => {
          const [unchecked] = said.not_checked.filter(({ what }) => what === 'consumers');
          if (!unchecked?.why.includes('lacks the tag "monitoring"')) throw new Error(JSON.stringify(said.not_checked));
          expectEvidence(said, { check: `consumers of ${deleterSlices.name}`, observed: '0 of ours' });
        },
        repair: async () => {
          await lane.user.create();
          await lane.restart('deleter');
        },
      };
    },
  },
];
