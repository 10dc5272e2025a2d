import type { DiagnosisCode } from '@expunge/contracts';
import { type Behaviour, errorXml } from '../../support/misbehaving-store.js';
import type { Fault } from './fault.js';
import { expectEvidence } from './said.js';

/** To every request, those by which it is found out whether the bucket is there included. */
const bucket = (name: string, code: DiagnosisCode, behaviour: Behaviour, observed: RegExp): Fault => ({
  name: `its bucket ${name}`,
  code,
  make: (lane) => {
    lane.bucket.behave(() => behaviour);
    return {
      isTrue: (said) => expectEvidence(said, { observed }),
      repair: () => lane.bucket.behave(() => ({ does: 'pass' })),
    };
  },
});

/** What a store refuses for good is tried again when somebody asks for it. */
const retriedAfter = (fault: Fault): Fault => ({
  ...fault,
  make: async (lane, job) => {
    const made = await fault.make(lane, job);
    const { system } = lane;
    return {
      ...made,
      repair: async () => {
        await made.repair();
        await system.ask(job.tenant, job.id, null);
        await system.untilEnded(job.tenant, job.id);
        await system.ask(job.tenant, job.id, 'retry');
      },
    };
  },
});

const answer = (status: number, code: string): Behaviour => ({ does: 'answer', status, body: errorXml(code) });

export const storeFaults: Fault[] = [
  {
    name: 'the MongoDB of its records cannot be reached',
    code: 'STORE:MONGO_UNAVAILABLE',
    make: async (lane) => {
      const { recordsDoor } = lane;
      await recordsDoor.shut();
      return {
        isTrue: (said) => expectEvidence(said, { check: `records as ${lane.fullName('deleter')} finds it` }),
        repair: () => recordsDoor.open(),
      };
    },
  },
  {
    name: 'the MongoDB of its records is slow',
    code: 'STORE:MONGO_UNAVAILABLE',
    make: (lane) => {
      const { recordsDoor } = lane;
      recordsDoor.slowByMs = 4_000;
      return {
        isTrue: (said) =>
          expectEvidence(said, { check: `records as ${lane.fullName('deleter')} finds it`, observed: /^TIMEOUT: / }),
        repair: () => {
          recordsDoor.slowByMs = 0;
          recordsDoor.cut();
        },
      };
    },
  },
  {
    name: 'the MongoDB of its deleter does not answer',
    code: 'STORE:MONGO_UNAVAILABLE',
    make: (lane) => {
      const { ownDoor } = lane;
      ownDoor.hold();
      return {
        isTrue: (said) =>
          expectEvidence(said, { check: `mongodb as ${lane.fullName('deleter')} finds it`, observed: /^TIMEOUT: / }),
        repair: async () => {
          await ownDoor.shut();
          await ownDoor.open();
        },
      };
    },
  },
  retriedAfter(
    bucket('refuses its token', 'STORE:OBJECTS_DENIED', answer(403, 'AccessDenied'), /^(AccessDenied|HTTP_403): /),
  ),
  bucket('asks for less', 'STORE:OBJECTS_THROTTLED', answer(503, 'SlowDown'), /^(SlowDown|HTTP_503): /),
  bucket(
    'answers with errors',
    'STORE:OBJECTS_UNAVAILABLE',
    answer(500, 'InternalError'),
    /^(InternalError|HTTP_500): /,
  ),
  bucket('says nothing', 'STORE:OBJECTS_UNAVAILABLE', { does: 'nothing' }, /^TIMEOUT: /),
  bucket('cuts every connection', 'STORE:OBJECTS_UNAVAILABLE', { does: 'reset' }, /^CONNECTION_RESET: /),
];
