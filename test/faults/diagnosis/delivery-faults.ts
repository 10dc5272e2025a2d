import { workQueues } from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import type { Fault } from './fault.js';
import { expectEvidence, numberIn } from './said.js';

const { deleterSlices, storageCleanerBatches } = workQueues;

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
    name: 'its storage-cleaner gives up on whatever it is given',
    code: 'DELIVERY:PARKED',
    make: async (lane) => {
      const { name } = storageCleanerBatches;
      const parked = async () => (await lane.system.parked())[name]?.count ?? 0;
      await lane.restart('storage-cleaner', { MISBEHAVE: 'rejects-deliveries' });
      return {
        isTrue: async (said) => {
          expectEvidence(said, { check: `queue ${name}.parked`, observed: /^BatchDeleted: .*: rejected$/ });
          const told = numberIn(said.summary ?? '', /^(\d+) of this job's messages were given up on/);
          if (told < 1) throw new Error(`it says ${told}`);
          // What a monitor looks at in this moment is not counted.
          await until(`as many as ${told} to be parked`, async () => (await parked()) >= told, 5_000);
        },
        repair: async () => {
          await lane.restart('storage-cleaner');
          await until(
            'all are put back and taken',
            async () => {
              await lane.system.replay(name, 100);
              return (await parked()) === 0;
            },
            20_000,
          );
        },
      };
    },
  },
];
