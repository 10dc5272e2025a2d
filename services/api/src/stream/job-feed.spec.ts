import { setImmediate as turn } from 'node:timers/promises';
import type { LedgerEventView } from '@expunge/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { newAcceptance } from '../acceptance/acceptance.js';
import { notSeenByMonitor, presentAcceptance } from '../jobs/job-presenter.js';
import { type Follower, JobFeed } from './job-feed.js';
import { beginningOf } from './stream-start.js';

const request = { resource: 'receipts', selection: { all: true as const }, options: { batchSize: 500 }, reason: null };
const accepted = newAcceptance('j1', { tenant: 'acme', requestedBy: 'ann', request }, new Date(0), 1000);
const job = { ...presentAcceptance(accepted), ...notSeenByMonitor };
const BEYOND = 999_999_999_999_999;

const event = (position: number): LedgerEventView => ({
  position,
  id: `e-${position}`,
  type: 'BatchDeleted',
  source: 'urn:expunge:deleter',
  sequence: position,
  time: '2026-11-01T10:00:00.000Z',
  data: {},
});

function pageOf(ledger: readonly number[], after: number, length: number) {
  const behind = ledger.filter((position) => position > after);
  const events = behind.slice(0, length).map(event);
  return { events, next: behind.length > length ? (events.at(-1)?.position ?? null) : null };
}

class Client implements Follower {
  readonly heard: number[] = [];
  readonly from: number;
  isGone = false;

  constructor(
    public position: number,
    private readonly read: () => Promise<unknown>,
  ) {
    this.from = position;
  }

  take(frames: string): boolean {
    if (this.isGone) return false;
    this.heard.push(...[...frames.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)));
    return true;
  }

  async hasRoom(): Promise<boolean> {
    await this.read();
    return !this.isGone;
  }

  end(): void {
    this.isGone = true;
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('happens' as const), gap: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('follows' as const), share: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('claims more than there is' as const) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('leaves' as const), which: fc.nat(9) }) },
);

test('whoever stays has every event once and in order, however reads, joining and leaving interleave', async () => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(step, { maxLength: 14 }),
    fc.integer({ min: 1, max: 3 }),
    async (scheduler, steps, page) => {
      const at = (label: string) => scheduler.schedule(Promise.resolve(), label);
      const ledger: number[] = [];
      const clients: Client[] = [];
      let reads = 0;
      const source = {
        beginning: (asked: number) => Promise.resolve(asked),
        events: async (after: number) => {
          reads += 1;
          await at('is asked');
          const answer = pageOf(ledger, after, page);
          await at('answers');
          return answer;
        },
        job: () => at('job').then(() => job),
      };
      const feed = new JobFeed(source, (error) => expect(error).toBeUndefined());
      const following: Promise<void>[] = [];
      const join = (position: number) => {
        const client = new Client(position, () => at('has room'));
        clients.push(client);
        following.push(feed.follow(client));
      };
      try {
        for (const one of steps) {
          await scheduler.waitFor(at(one.does));
          if (one.does === 'happens') ledger.push((ledger.at(-1) ?? 0) + one.gap);
          if (one.does === 'happens') feed.wanted();
          if (one.does === 'follows') join(one.share === 0 ? 0 : (ledger.at(-one.share) ?? 0));
          if (one.does === 'claims more than there is') join(BEYOND);
          const leaving = one.does === 'leaves' ? clients.at(-one.which) : undefined;
          if (leaving) {
            leaving.isGone = true;
            feed.leave(leaving);
          }
        }
        await scheduler.waitFor(Promise.all(following));
        feed.wanted();
        await scheduler.waitIdle();
        for (const { heard, from, isGone } of clients) {
          if (!isGone) expect(heard).toEqual(ledger.filter((position) => position > from));
        }
        expect(reads).toBeLessThan(20 * (steps.length + 1));
      } finally {
        for (const client of clients) feed.leave(client);
      }
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

test('who joins when the others have left between two pages lacks neither', async () => {
  const ledger = [1, 2];
  const asked: number[] = [];
  const [room, answer] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const source = {
    beginning: (position: number) => Promise.resolve(position),
    events: async (after: number) => {
      asked.push(after);
      if (after === 3) await answer.promise;
      return pageOf(ledger, after, 1);
    },
    job: () => Promise.resolve(job),
  };
  const feed = new JobFeed(source, (error) => expect(error).toBeUndefined());
  const first = new Client(2, () => Promise.resolve());
  await feed.follow(first);
  const second: Client = new Client(0, () => (second.position === 2 ? room.promise : Promise.resolve()));
  const joined = feed.follow(second);
  while (second.position < 2) await turn();
  ledger.push(3, 4);
  feed.wanted();
  while (!asked.includes(3)) await turn();
  expect(first.heard).toEqual([3]);
  feed.leave(first);
  room.resolve(undefined);
  await joined;
  answer.resolve(undefined);
  while (second.heard.at(-1) !== 4) await turn();
  feed.leave(second);
  expect(second.heard).toEqual([1, 2, 3, 4]);
});

test.each([
  [7, 1, 5, 7],
  [7, 0, 7, 7],
  [7, 0, 9, 7],
  [7, 0, 5, 0],
  [7, 0, null, 0],
])('who asks for what is behind %i, %i found, the ledger at %p, begins behind %i', (asked, found, at, from) => {
  expect(beginningOf(asked, found, at)).toBe(from);
});
