import { type AnyMessage, type Positions, positions, PurgeRequested, tierOf } from '@expunge/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { purgeOutcomeOf } from './purge-outcome.js';
import { purgeReportOf } from './purge-report.js';
import { type PurgeWork, purgeWorkOf } from './purge-work.js';

/** What the store does with one key, one attempt. `cut`: the whole call fails, though the key may be gone. */
const behaviours = ['delete', 'AccessDenied', 'SlowDown', 'silent', 'cut', 'cut after delete'] as const;
type Behaviour = (typeof behaviours)[number];

/**
 * One run of the handler: how the store behaves towards each key, and what ends its report after how many steps. It
 * `dies`, at the latest before it acknowledges, or the next publish `fails`.
 */
interface Run {
  behaviours: Behaviour[];
  end: { how: 'dies' | 'fails'; after: number } | null;
}

const runs = fc.array(
  fc.record({
    behaviours: fc.array(fc.constantFrom(...behaviours), { minLength: 1, maxLength: 12 }),
    end: fc.option(fc.record({ how: fc.constantFrom('dies' as const, 'fails' as const), after: fc.nat(6) })),
  }),
  { maxLength: 30 },
);

/**
 * The broker's and settlement's part: a message whose handler dies comes again as it was, one whose handler fails goes
 * to its tier whole; a retry copy is one more message.
 */
function play(keys: string[], script: Run[], from: 'oldest' | 'newest') {
  const start = Date.parse('2026-11-23T10:00:00.000Z');
  const first = { work: workOf(keys, new Date(start).toISOString()), attempt: 1, at: start };
  const queue = [first];
  const gone = new Set<string>();
  const events: { id: string; type: string; code: string; attempt: number; retryAt: string; positions: Positions }[] =
    [];
  let diedBeforeAck = 0;
  for (let run = 0; queue.length > 0; run++) {
    expect(run).toBeLessThan(2000);
    // Only a death between copy and acknowledgement leaves both.
    expect(queue.length).toBeLessThanOrEqual(1 + diedBeforeAck);
    const delivery = from === 'oldest' ? queue.shift()! : queue.pop()!;
    // The script over, the store refuses for ever: giving up in time has to end it.
    const { behaviours: of, end } = script[run] ?? { behaviours: ['SlowDown' as const], end: null };
    const outcome = purgeOutcomeOf(answersOf(delivery.work, of, gone));
    const context = { attempt: delivery.attempt, now: new Date(delivery.at), retryForMs: 120_000, instance: `c${run}` };
    const steps = purgeReportOf(delivery.work, outcome, context);
    for (const step of steps.slice(0, end?.after)) {
      const data = step.message.data as { positions: Positions; code?: string; attempt?: number; retryAt?: string };
      if (step.to === 'retry') {
        const work = purgeWorkOf(step.message as AnyMessage);
        queue.push({ work, attempt: step.attempt, at: delivery.at + step.tier * 1000 });
      } else {
        const { id, type } = step.message;
        const { code = '', attempt = 0, retryAt = '' } = data;
        events.push({ id, type, code, attempt, retryAt, positions: data.positions });
      }
    }
    const { attempt, at } = delivery;
    if (end?.how === 'dies') {
      queue.push({ ...delivery, at: at + 1000 });
      if (end.after >= steps.length) diedBeforeAck++;
    } else if (end && end.after < steps.length) {
      queue.push({ ...delivery, attempt: attempt + 1, at: at + tierOf(attempt) * 1000 });
    }
  }
  return { events, gone };
}

function workOf(keys: string[], since: string): PurgeWork {
  const data = { batch: 1, positions: positions.positionsOf(keys.keys()), objectKeys: keys, since };
  const envelope = { id: 'job:1', source: 'urn:expunge:deleter', subject: 'job', time: since };
  return purgeWorkOf(PurgeRequested.create({ ...envelope, data }));
}

function answersOf(work: PurgeWork, of: Behaviour[], gone: Set<string>) {
  return work.targets.map((target) => {
    const { key, position } = target;
    const behaviour = of[position % of.length]!;
    if (behaviour === 'delete' || behaviour === 'cut after delete') gone.add(key);
    if (behaviour === 'cut' || behaviour === 'cut after delete') {
      const refusal = { code: 'CONNECTION_RESET', message: '', status: null };
      return { targets: [target], answer: { kind: 'refused' as const, refusal } };
    }
    const refused = behaviour === 'AccessDenied' || behaviour === 'SlowDown';
    const errors = refused ? [{ key, code: behaviour, message: '', status: null }] : [];
    return {
      targets: [target],
      answer: { kind: 'answered' as const, deleted: behaviour === 'delete' ? [key] : [], errors },
    };
  });
}

test.each(['oldest', 'newest'] as const)(
  'whatever the store says and wherever the cleaner dies or cannot publish, every object ends purged or failed (%s first)',
  (from) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), runs, (count, script) => {
        const keys = Array.from({ length: count }, (_, i) => `k${i}`);
        const { events, gone } = play(keys, script, from);
        const told = (type: string) =>
          positions.union(...events.filter((event) => event.type === type).map((event) => event.positions));
        const purged = told('ObjectsPurged');
        expect(positions.union(purged, told('ObjectPurgeFailed'))).toEqual([[0, count - 1]]);
        for (const position of positions.each(purged)) expect(gone).toContain(`k${position}`);
      }),
      { numRuns: 300 },
    );
  },
);

test('one id never says two things, wherever the cleaner dies', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), runs, (count, script) => {
      const keys = Array.from({ length: count }, (_, i) => `k${i}`);
      const said = new Map<string, unknown>();
      for (const { id, ...content } of play(keys, script, 'oldest').events) {
        expect(said.get(id) ?? content).toEqual(content);
        said.set(id, content);
      }
    }),
    { numRuns: 300 },
  );
});
