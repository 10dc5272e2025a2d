import { describe, expect, it } from '@jest/globals';
import { compact } from '../ledger/compact.js';
import type { EventOfJob } from '../ledger/ledger.repository.js';
import { evolveAll } from '../projection/evolve.js';
import { Story } from '../testing/story.js';
import { stateAt } from './state-at.js';

const story = new Story()
  .requested()
  .started(20)
  .batch(10, 2)
  .batch(10, 2)
  .purged(1, [[0, 1]]);
const start = Date.parse('2026-11-01T03:00:00.000Z');
/** Heard a minute apart from each other. */
const heard = story.events.map((message, i): EventOfJob => ({
  job: 'job-1',
  position: i + 1,
  message: compact(message),
  receivedAt: new Date(start + i * 60_000),
}));
const at = (minute: number) => new Date(start + minute * 60_000);

async function* inPages(events: EventOfJob[], size: number) {
  for (let i = 0; i < events.length; i += size) yield Promise.resolve(events.slice(i, i + size));
}

describe('the state at a moment', () => {
  it.each([1, 2, 3, 100])('is the fold of all that had been heard by then, in pages of %i', async (size) => {
    for (let minute = 0; minute < heard.length; minute++) {
      const told = evolveAll(null, heard.slice(0, minute + 1));
      expect(await stateAt(inPages(heard, size), at(minute))).toEqual(told);
      expect(await stateAt(inPages(heard, size), at(minute + 0.9))).toEqual(told);
    }
  });

  it('is nothing before the first event was heard, though that had happened', async () => {
    expect(await stateAt(inPages(heard, 2), new Date(start - 1))).toBeNull();
  });

  it('stops at the first event that was heard later, whatever the clocks say of those behind it', async () => {
    const ahead = heard.with(1, { ...heard[1]!, receivedAt: at(59) });
    expect(await stateAt(inPages(ahead, 2), at(30))).toEqual(evolveAll(null, heard.slice(0, 1)));
  });

  it('leaves out an event that cannot be folded, as the running fold does', async () => {
    const poisoned = heard.with(2, { ...heard[2]!, message: { ...heard[2]!.message, time: 'no time' } });
    expect(await stateAt(inPages(poisoned, 2), at(59))).toEqual(evolveAll(null, heard.toSpliced(2, 1)));
  });
});
