import { MAINTENANCE_EXCHANGE, retryQueue, workQueues } from '@expunge/contracts';
import { atBroker } from '../../support/broker.js';
import type { Fault } from './fault.js';
import { type Lane, withheld } from './lane.js';
import { expectEvidence } from './said.js';

const { storageCleanerBatches, monitorEvents } = workQueues;
const batches = storageCleanerBatches.name;

const unbind = (lane: Lane, queue: string, keys: readonly string[]) =>
  atBroker(lane.system, async (channel) => {
    for (const key of keys) await channel.unbindQueue(queue, MAINTENANCE_EXCHANGE, key);
  });

/** Everything is declared again by the api, as soon as it may. */
const permit = (lane: Lane) => () => lane.user.permit();

export const routingFaults: Fault[] = [
  {
    name: 'the exchange was deleted',
    code: 'ROUTING:NO_EXCHANGE',
    isNoEvent: true,
    make: async (lane) => {
      await lane.user.permit(withheld('configure', MAINTENANCE_EXCHANGE));
      await atBroker(lane.system, (channel) => channel.deleteExchange(MAINTENANCE_EXCHANGE));
      return {
        isTrue: (said) => expectEvidence(said, { check: `exchange ${MAINTENANCE_EXCHANGE}`, observed: 'missing' }),
        repair: permit(lane),
      };
    },
  },
  {
    name: "the storage-cleaner's binding was deleted",
    code: 'ROUTING:NO_BINDING',
    make: async (lane) => {
      await lane.user.permit(withheld('read', MAINTENANCE_EXCHANGE));
      await unbind(lane, batches, storageCleanerBatches.bindings);
      return {
        isTrue: (said) =>
          expectEvidence(said, {
            check: `bindings of ${batches}`,
            observed: 'no binding',
            expected: 'one that takes batch.deleted',
          }),
        repair: permit(lane),
      };
    },
  },
  {
    name: "the storage-cleaner's queue is bound with a wrong key",
    code: 'ROUTING:NO_BINDING',
    make: async (lane) => {
      await lane.user.permit(withheld('read', MAINTENANCE_EXCHANGE));
      await unbind(lane, batches, storageCleanerBatches.bindings);
      await atBroker(lane.system, (channel) => channel.bindQueue(batches, MAINTENANCE_EXCHANGE, 'batch.delete'));
      return {
        isTrue: (said) =>
          expectEvidence(said, { check: `bindings of ${batches}`, observed: 'bound with batch.delete' }),
        repair: async () => {
          await unbind(lane, batches, ['batch.delete']);
          await lane.user.permit();
        },
      };
    },
  },
  {
    name: "the storage-cleaner's queue was deleted",
    code: 'ROUTING:QUEUE_MISSING',
    make: async (lane) => {
      await lane.user.permit(withheld('configure', batches));
      await atBroker(lane.system, (channel) => channel.deleteQueue(batches));
      return {
        isTrue: (said) => expectEvidence(said, { check: `queue ${batches}`, observed: 'missing' }),
        repair: permit(lane),
      };
    },
  },
  {
    name: "a retry queue of the storage-cleaner's was deleted",
    code: 'ROUTING:QUEUE_MISSING',
    make: async (lane) => {
      const tier = retryQueue(batches, 4);
      await lane.user.permit(withheld('configure', tier));
      await atBroker(lane.system, (channel) => channel.deleteQueue(tier));
      return {
        isTrue: (said) => expectEvidence(said, { check: `queue ${tier}`, observed: 'missing' }),
        repair: permit(lane),
      };
    },
  },
  {
    name: 'the monitor is not told of batches',
    code: 'ROUTING:NO_BINDING',
    isNoEvent: true,
    make: async (lane) => {
      await lane.user.permit(withheld('read', MAINTENANCE_EXCHANGE));
      await unbind(lane, monitorEvents.name, monitorEvents.bindings);
      return {
        isTrue: (said) => expectEvidence(said, { check: `bindings of ${monitorEvents.name}`, observed: 'no binding' }),
        repair: permit(lane),
      };
    },
  },
];
