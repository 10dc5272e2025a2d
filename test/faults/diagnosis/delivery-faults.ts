import { workQueues } from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { atBroker } from '../../support/broker.js';
import type { Fault } from './fault.js';
import type { Lane } from './lane.js';
import { expectEvidence, expectSaid } from './said.js';

const { deleterSlices, storageCleanerBatches } = workQueues;

/** Gives up on whatever a queue holds, as somebody may who looks into it. */
async function rejectAll(lane: Lane, queue: string): Promise<number> {
  return atBroker(lane.system, async (channel) => {
    for (let rejected = 0; ; rejected++) {
      const message = await channel.get(queue);
      if (message === false) return rejected;
      channel.reject(message, false);
    }
  });
}

export const deliveryFaults: Fault[] = [
  {
    name: 'its deleter loses its connection over each slice',
    code: 'DELIVERY:LOOP',
    make: async (lane) => {
      await lane.restart('deleter', { MISBEHAVE: 'loses-connection-over-deliveries' });
      return {
        isTrue: (said) =>
          expectEvidence(said, {
            source: 'broker',
            check: `deliveries of ${deleterSlices.name}`,
            observed: /^\d+ redelivered, 0 acknowledged since /,
          }),
        repair: () => lane.restart('deleter'),
      };
    },
  },
  {
    name: 'its batches were given up on',
    code: 'DELIVERY:PARKED',
    make: async (lane, { tenant, id }) => {
      const { name } = storageCleanerBatches;
      lane.process('storage-cleaner').kill('SIGTERM');
      await lane.untilEnded('storage-cleaner');
      await lane.system.ask(tenant, id, null);
      await lane.system.until(tenant, id, 'all records are gone', ({ status }) => status === 'purging');
      const parked = await rejectAll(lane, name);
      await lane.restart('storage-cleaner');
      if (parked === 0) throw new Error('there was nothing to be given up on');
      return {
        isTrue: (said) => {
          expectEvidence(said, { check: `queue ${name}.parked`, observed: /^BatchDeleted: .*: rejected$/ });
          expectSaid(said, `${Math.min(parked, 50)} of this job's messages were given up on`);
        },
        repair: async () => {
          const { replayed } = await lane.system.replay(name, parked);
          if (replayed !== parked) throw new Error(`of ${parked} messages ${replayed} were put back`);
          await until('they are taken', async () => !(await lane.system.parked())[name]?.count, 20_000);
        },
      };
    },
  },
];
