import { describe, expect, it } from '@jest/globals';
import { allWorkers, circumstances, healthyBroker, NOW, worker } from '../testing/situation.js';
import { healthOf } from './health.js';

const without = (service: string) => allWorkers().filter(({ beat }) => beat.service !== service);
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();

describe('the health of the whole', () => {
  it('is ok only when every part says so', () => {
    expect(healthOf(circumstances())).toMatchObject({ status: 'ok', reasons: [], notChecked: [] });
  });

  it('is never green because something froze', () => {
    const frozen = circumstances({ asOf: { position: 1, at: ago(90), lagMs: 0, monitorHeartbeatAgeMs: 60_000 } });
    expect(healthOf(frozen)).toMatchObject({
      status: 'down',
      reasons: ['fold: no monitor folds; the last sign was 60 s ago'],
    });
    const silent = circumstances({ workers: [...without('deleter'), worker('deleter', 9)] });
    expect(healthOf(silent)).toMatchObject({ status: 'down', reasons: ['workers: no deleter is heard'] });
  });

  it('names the store that a worker cannot use', () => {
    const problems = { bucket: { code: 'AccessDenied', message: 'no' } };
    const workers = [...without('storage-cleaner'), worker('storage-cleaner', 1, { problems })];
    expect(healthOf(circumstances({ workers }))).toMatchObject({
      status: 'down',
      stores: { 'storage-cleaner bucket': { status: 'down' } },
      reasons: ['storage-cleaner bucket: storage-cleaner@storage-cleaner-1: AccessDenied: no'],
    });
  });

  it('is unknown where nobody could look, and says so', () => {
    const broker = { ...healthyBroker(), bindings: null };
    const { status, reasons } = healthOf(circumstances({ broker }));
    expect({ status, reasons }).toEqual({
      status: 'unknown',
      reasons: ['workers: not all of the topology could be looked at'],
    });
  });

  it('is degraded by what was given up on', () => {
    const broker = healthyBroker();
    const queues = (broker.queues ?? []).map((queue) =>
      queue.name === 'deleter.jobs.parked' ? { ...queue, ready: 2 } : queue,
    );
    expect(healthOf(circumstances({ broker: { ...broker, queues } }))).toMatchObject({
      status: 'degraded',
      reasons: ['parked: 2 parked of deleter.jobs'],
    });
  });
});
