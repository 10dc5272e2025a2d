import type { DiagnosisCode } from '@expunge/contracts';
import { workQueues } from '@expunge/contracts';
import type { LocalStack, Supervised } from '@expunge/local-stack';
import { rabbitmqctl } from '../../support/broker.js';
import type { Fault } from './fault.js';
import type { Lane } from './lane.js';
import { expectEvidence } from './said.js';

type Part = 'rabbitmq' | 'mongodb' | 's3';

function serverOf({ system: { stack } }: Lane, part: Part): Supervised {
  const { server }: LocalStack[Part] = stack[part];
  if (!server) throw new Error(`this fault needs a ${part} of the local stack`);
  return server;
}

const killed = (part: Part, name: string, code: DiagnosisCode, observed: RegExp): Fault => ({
  name: `${name} was killed`,
  code,
  isNoEvent: true,
  make: (lane) => {
    const server = serverOf(lane, part);
    server.kill('SIGKILL');
    return { isTrue: (said) => expectEvidence(said, { observed }), repair: () => server.restart() };
  },
});

const frozen = (part: Part, name: string, code: DiagnosisCode, observed: RegExp): Fault => ({
  name: `${name} is frozen`,
  code,
  isNoEvent: true,
  make: (lane) => {
    const server = serverOf(lane, part);
    server.freeze();
    return { isTrue: (said) => expectEvidence(said, { observed }), repair: () => server.thaw() };
  },
});

/** The broker refuses publishes while more than so much of its memory is in use. */
const watermark = async ({ system }: Lane, share: string): Promise<void> => {
  await rabbitmqctl(system, 'set_vm_memory_high_watermark', share);
};

/** What befalls the servers, and with them whatever else runs on them. */
export const serverFaults: Fault[] = [
  {
    name: 'the memory of the broker is short',
    code: 'BROKER:RESOURCE_ALARM',
    isNoEvent: true,
    make: async (lane) => {
      await watermark(lane, '0.000001');
      return {
        isTrue: (said) =>
          expectEvidence(said, { check: 'alarms', observed: /^(memory alarm on |connection blocked: low on memory)/ }),
        repair: () => watermark(lane, '0.4'),
      };
    },
  },
  {
    name: "the broker's disk is nearly full",
    code: 'BROKER:RESOURCE_ALARM',
    isNoEvent: true,
    make: async (lane) => {
      await rabbitmqctl(lane.system, 'set_disk_free_limit', '100000GB');
      return {
        isTrue: (said) =>
          expectEvidence(said, { check: 'alarms', observed: /^(disk alarm on |connection blocked: low on disk)/ }),
        repair: async () => {
          await rabbitmqctl(lane.system, 'set_disk_free_limit', '50MB');
        },
      };
    },
  },
  {
    name: 'every deleter was stopped, and the management API is off',
    code: 'CONSUMER:NONE',
    make: async (lane) => {
      const { name } = workQueues.deleterSlices;
      await rabbitmqctl(lane.system, 'eval', 'application:stop(rabbitmq_management).');
      lane.process('deleter').kill('SIGTERM');
      await lane.untilEnded('deleter');
      return {
        isTrue: (said) => {
          const unchecked = said.not_checked.map(({ what }) => what);
          if (!unchecked.includes('bindings')) throw new Error(`not checked: ${unchecked.join(', ')}`);
          expectEvidence(said, { check: `consumers of ${name}`, observed: '0 of ours' });
        },
        repair: async () => {
          await rabbitmqctl(lane.system, 'eval', 'application:start(rabbitmq_management).');
          await lane.restart('deleter');
        },
      };
    },
  },
  killed('s3', 'its bucket server', 'STORE:OBJECTS_UNAVAILABLE', /^CONNECTION_(REFUSED|RESET): /),
  killed('rabbitmq', 'the broker', 'BROKER:UNREACHABLE', /ECONNREFUSED/),
  frozen('rabbitmq', 'the broker', 'BROKER:UNREACHABLE', /./),
  killed('mongodb', 'every MongoDB', 'STORE:MONGO_UNAVAILABLE', /./),
  frozen('mongodb', 'every MongoDB', 'STORE:MONGO_UNAVAILABLE', /./),
];
