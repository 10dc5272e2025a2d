import fc from 'fast-check';

/** What is done to the system, and after how long a pause. Indices are taken modulo what there is. */
export type Step = { afterMs: number } & (
  | { what: 'kill' | 'freeze'; of: 'service' | 'server'; index: number; forMs: number }
  | { what: 'cut-connections' }
  | { what: 'purge'; index: number }
  | { what: 'repeat-request'; index: number }
  | { what: 'pause-and-resume'; index: number; forMs: number }
  /** Of the job that lasts longest. */
  | { what: 'cancel' }
);

/** A run as long as this can spare one of its jobs. */
const CANCELS_FROM_MINUTES = 5;

const index = fc.nat(1_000_000);
const step: fc.Arbitrary<Step> = fc
  .tuple(
    fc.integer({ min: 200, max: 3000 }),
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          what: fc.constantFrom('kill' as const, 'freeze' as const),
          of: fc.constant('service' as const),
          index,
          forMs: fc.integer({ min: 500, max: 8000 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          what: fc.constantFrom('kill' as const, 'freeze' as const),
          of: fc.constant('server' as const),
          index,
          forMs: fc.integer({ min: 500, max: 4000 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('cut-connections' as const) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('purge' as const), index }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('repeat-request' as const), index }) },
      {
        weight: 2,
        arbitrary: fc.record({
          what: fc.constant('pause-and-resume' as const),
          index,
          forMs: fc.integer({ min: 0, max: 3000 }),
        }),
      },
    ),
  )
  .map(([afterMs, what]) => ({ afterMs, ...what }));

/** The same seed is the same schedule. */
export function scheduleOf(seed: number, minutes: number): Step[] {
  const most = Math.ceil((minutes * 60_000) / 200);
  const steps = fc.sample(step, { seed, numRuns: most });
  let until = minutes * 60_000;
  const inTime = steps.filter(({ afterMs }) => (until -= afterMs) > 0);
  return minutes < CANCELS_FROM_MINUTES ? inTime : withCancel(inTime, seed);
}

/** Once, somewhere between a third and four fifths. */
function withCancel(steps: readonly Step[], seed: number): Step[] {
  const place = fc.integer({ min: Math.floor(steps.length / 3), max: Math.floor((steps.length * 4) / 5) });
  const [at = 0] = fc.sample(place, { seed, numRuns: 1 });
  return steps.toSpliced(at, 0, { afterMs: 0, what: 'cancel' });
}
