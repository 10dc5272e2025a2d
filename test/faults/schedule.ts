import fc from 'fast-check';

/** What is done to the system, and after how long a pause. Indices are taken modulo what there is. */
export type Step = { afterMs: number } & (
  | { what: 'kill' | 'freeze'; of: 'service' | 'server'; index: number; forMs: number }
  | { what: 'cut-connections' }
  | { what: 'purge'; index: number }
  | { what: 'repeat-request'; index: number }
  | { what: 'pause-and-resume'; index: number; forMs: number }
);

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
  return steps.filter(({ afterMs }) => (until -= afterMs) > 0);
}
