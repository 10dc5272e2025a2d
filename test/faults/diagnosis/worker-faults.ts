import { cp, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ServiceName, until } from '@expunge/local-stack';
import type { Fault, MadeFault } from './fault.js';
import { distOf, type Lane } from './lane.js';
import { expectEvidence, numberIn } from './said.js';

/** Silent for as long as it really has been. The broker closes the connection of one that is frozen after 10 s or so. */
function silentSince(lane: Lane, service: ServiceName, connection: RegExp): MadeFault['isTrue'] {
  const at = Date.now();
  return (said) => {
    const observed = new RegExp(`, from host ${hostname()}$`);
    expectEvidence(said, { source: 'heartbeat', check: `heartbeat of ${lane.fullName(service)}`, observed });
    if (!connection.test(said.summary ?? '')) throw new Error(`not said: ${String(connection)}`);
    const silent = numberIn(said.evidence[0]?.observed ?? '', /^(\d+) s ago/);
    // A heartbeat came at most 5 s before the fault.
    const since = (Date.now() - at) / 1000;
    if (silent < since - 1 || silent > since + 6) throw new Error(`silent for ${silent} s, but it is ${since} s`);
  };
}

const killed = (service: ServiceName): Fault => ({
  name: `its ${service} was killed`,
  code: 'WORKER:NO_HEARTBEAT',
  make: (lane) => {
    lane.process(service).kill('SIGKILL');
    return { isTrue: silentSince(lane, service, /Its connection is gone\./), repair: () => lane.restart(service) };
  },
});

const frozen = (service: ServiceName): Fault => ({
  name: `its ${service} is frozen`,
  code: 'WORKER:NO_HEARTBEAT',
  make: (lane) => {
    lane.process(service).freeze();
    return {
      isTrue: silentSince(lane, service, /Its connection (stands|is gone)/),
      repair: () => lane.process(service).thaw(),
    };
  },
});

/** An orchestrator waits for longer, and what is started takes all there is of a processor. */
const STARTS_AGAIN_AFTER_MS = 3_000;

/**
 * Starts a service again whenever it has ended, as an orchestrator does; ends with it running.
 * @returns once it has ended for the first time
 */
async function keepStarting(lane: Lane, service: ServiceName): Promise<{ end(): Promise<void> }> {
  const over = new AbortController();
  const process = lane.process(service);
  const pids = new Set([process.pid]);
  const hasEnded = () => pids.add(process.pid).size > 2 || (pids.size === 2 && !process.running);
  const starting = (async () => {
    while (!over.signal.aborted) {
      await process.restart();
      await until('its end', () => over.signal.aborted || !process.running, Infinity);
      await delay(STARTS_AGAIN_AFTER_MS);
    }
  })();
  await Promise.race([until('its first end', hasEnded, 30_000), starting]);
  return {
    end: async () => {
      over.abort();
      // Whoever runs, or is just being started, was started as it was.
      process.kill('SIGKILL');
      await process.restart();
      await starting;
    },
  };
}

const endsAtStart = (
  name: string,
  service: ServiceName,
  words: RegExp,
  spoil: (lane: Lane) => Promise<Record<string, string>>,
  mend: (lane: Lane) => Promise<void> = () => Promise.resolve(),
): Fault => ({
  name,
  code: 'WORKER:START_FAILED',
  make: async (lane) => {
    lane.give(service, await spoil(lane));
    const starting = await keepStarting(lane, service);
    return {
      isTrue: (said) => expectEvidence(said, { check: `last words of ${lane.fullName(service)}`, observed: words }),
      repair: async () => {
        await mend(lane);
        lane.give(service, {});
        await starting.end();
      },
    };
  },
});

export const workerFaults: Fault[] = [
  killed('deleter'),
  killed('storage-cleaner'),
  frozen('deleter'),
  frozen('storage-cleaner'),
  {
    name: "its deleter's event loop is blocked",
    code: 'WORKER:NO_HEARTBEAT',
    make: (lane) => {
      lane.process('deleter').kill('SIGUSR2');
      return {
        isTrue: silentSince(lane, 'deleter', /Its connection (stands|is gone)/),
        repair: () => lane.restart('deleter'),
      };
    },
  },
  endsAtStart(
    'its deleter has a bad variable',
    'deleter',
    /^exit code 78, .*MAX_PENDING_OBJECTS must be an integer .*, but is "many"/,
    () => Promise.resolve({ MAX_PENDING_OBJECTS: 'many' }),
  ),
  endsAtStart(
    'a module of its storage-cleaner is missing',
    'storage-cleaner',
    /^exit code 1, .*MODULE_NOT_FOUND.*purge\.service\.js/,
    async ({ root }) => {
      const place = join(root, 'services', 'storage-cleaner');
      await cp(distOf('storage-cleaner'), `${place}.broken`, { recursive: true });
      await rm(join(`${place}.broken`, 'dist', 'purge', 'purge.service.js'));
      await rename(place, `${place}.whole`);
      await rename(`${place}.broken`, place);
      return {};
    },
    async ({ root }) => {
      const place = join(root, 'services', 'storage-cleaner');
      await rm(place, { recursive: true });
      await rename(`${place}.whole`, place);
    },
  ),
  endsAtStart(
    'its deleter is started again and again, and ends each time once it runs',
    'deleter',
    /^exit code 1, .*a bug that shows soon after the start$/,
    () => Promise.resolve({ MISBEHAVE: 'throws-once-connected' }),
  ),
  {
    name: 'its deleter takes slices and forgets them',
    code: 'WORKER:NO_PROGRESS',
    make: async (lane) => {
      await lane.restart('deleter', { MISBEHAVE: 'forgets-deliveries' });
      return {
        isTrue: (said) =>
          expectEvidence(said, {
            source: 'broker',
            check: 'unacknowledged messages of deleter.slices',
            observed: /^[1-4], and none acknowledged since /,
          }),
        repair: () => lane.restart('deleter'),
      };
    },
  },
  {
    name: 'one call of its storage-cleaner hangs',
    code: 'WORKER:NO_PROGRESS',
    job: { records: 4, batchSize: 4, onlyAccepted: true },
    before: (lane) => {
      lane.bucket.behave(({ keys }) => ({ does: keys.length > 0 ? 'nothing' : 'pass' }));
      return Promise.resolve();
    },
    make: (lane) => ({
      isTrue: (said) =>
        expectEvidence(said, { source: 'heartbeat', check: `what ${lane.fullName('storage-cleaner')} does` }),
      repair: async () => {
        lane.bucket.behave(() => ({ does: 'pass' }));
        await lane.restart('storage-cleaner');
      },
    }),
  },
];
