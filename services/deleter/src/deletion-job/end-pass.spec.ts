import { describe, expect, it } from '@jest/globals';
import { MAX_STALLED_PASSES, type Pass, withLane } from './deletion-job.js';
import { finish, nextPass, passEnd } from './end-pass.js';
import { at, runningJob } from './given.js';

const after = (pass: Partial<Pass>) =>
  withLane(runningJob(), { cursor: 'x', pass: { found: 0, deleted: 0, stalled: 0, ...pass } });

describe('the end of a pass', () => {
  it('finishes the job when the whole pass found nothing', () => {
    expect(passEnd(after({}))).toBe('finished');
    const job = finish(after({}), { instance: 'deleter-1', now: at(20) });
    expect(job.state).toBe('finished');
    expect(job.outbox).toMatchObject([{ type: 'DeletionFinished', sequence: 2, data: { totals: job.totals } }]);
  });

  it('starts again from the front after deleting anything: records may have come up behind the cursor', () => {
    expect(passEnd(after({ found: 5, deleted: 1, stalled: 2 }))).toBe('again');
    expect(nextPass(after({ found: 5, deleted: 1, stalled: 2 })).lanes[0]).toMatchObject({
      cursor: null,
      pass: { found: 0, deleted: 0, stalled: 0 },
    });
  });

  it('backs off after finding records it could not delete, and counts how often in a row', () => {
    let job = after({ found: 2 });
    for (let n = 1; n <= MAX_STALLED_PASSES; n++) {
      expect(passEnd(job)).toBe('stalled');
      job = nextPass(job);
      expect(job.lanes[0].pass).toEqual({ found: 0, deleted: 0, stalled: n });
      job = withLane(job, { pass: { ...job.lanes[0].pass, found: 2 } });
    }
  });
});
