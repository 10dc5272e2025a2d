import { MAINTENANCE_EXCHANGE, workQueues } from '@expunge/contracts';
import { until } from '@expunge/local-stack';
import { atBroker } from '../../support/broker.js';
import { npmRun } from '../../support/command.js';
import type { Fault } from './fault.js';
import { withheld } from './lane.js';
import { expectEvidence } from './said.js';

const { monitorEvents, deleterJobs } = workQueues;

/** Of a job that moves, but of which nobody can know. */
export const monitorFaults: Fault[] = [
  {
    name: 'the only monitor was killed',
    code: 'MONITOR:STALE',
    isNoEvent: true,
    make: (lane) => {
      lane.process('monitor').kill('SIGKILL');
      return {
        isTrue: (said) => expectEvidence(said, { source: 'api' }),
        repair: () => lane.restart('monitor'),
      };
    },
  },
  {
    name: 'the only monitor is frozen',
    code: 'MONITOR:STALE',
    isNoEvent: true,
    make: (lane) => {
      lane.process('monitor').freeze();
      return {
        isTrue: (said) => expectEvidence(said, { source: 'api' }),
        repair: () => lane.process('monitor').thaw(),
      };
    },
  },
  {
    name: 'its projection is damaged, and no event can be folded',
    code: 'MONITOR:PROJECTION_FAILED',
    make: async (lane, { id }) => {
      const jobs = lane.system.database('monitor').collection<{ _id: string }>('jobs');
      // With its revision: over what nobody seems to have written, a monitor writes what it remembers, and all is well.
      await jobs.updateOne({ _id: id }, { $set: { heard: 'nothing', batches: 'none' }, $inc: { revision: 1 } });
      return {
        isTrue: (said) => expectEvidence(said, { source: 'monitor', check: /^fold of / }),
        repair: async () => {
          await npmRun('rebuild', [], lane.environment);
        },
      };
    },
  },
  {
    name: 'events of it were lost, and nobody answers who could tell them again',
    code: 'MONITOR:LEDGER_GAP',
    make: async (lane, { tenant, id }) => {
      const { system } = lane;
      await lane.user.permit(withheld('read', MAINTENANCE_EXCHANGE));
      await atBroker(system, async (channel) => {
        await channel.unbindQueue(monitorEvents.name, MAINTENANCE_EXCHANGE, 'batch.#');
        await channel.unbindQueue(deleterJobs.name, MAINTENANCE_EXCHANGE, 'events.wanted');
      });
      const before = (await system.eventsOf(id)).length;
      await until('an event that is lost', async () => (await system.eventsOf(id)).length > before + 1, 20_000);
      await system.ask(tenant, id, 'pause');
      await system.until(tenant, id, 'the pause', ({ last_request }) => last_request?.outcome === 'applied');
      return {
        isTrue: (said) =>
          expectEvidence(said, {
            source: 'ledger',
            check: 'sequence of the job',
            observed: /^complete to \d+, heard up to \d+$/,
          }),
        repair: async () => {
          await lane.user.permit();
          await system.ask(tenant, id, 'resume');
        },
      };
    },
  },
];
