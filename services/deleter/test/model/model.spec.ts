import { describe, expect, it } from '@jest/globals';
import { explore } from './explore.js';
import { firstWorld } from './first-world.js';
import { callMutants } from './call-mutants.js';
import { decisionMutants } from './decision-mutants.js';
import { rulesOf } from './mutant.js';
import { rules } from './rules.js';
import { sizeOf, sizes } from './sizes.js';

const MINUTES = 60_000;
const one = { records: { a: ['ka'] } };

describe('the protocol, in every order of its calls', () => {
  it.each(sizes)(
    'holds where $name',
    ({ size }) => {
      const { violations, isComplete } = explore(firstWorld(size), size, rules);
      expect(violations).toEqual(new Map());
      expect(isComplete).toBe(true);
    },
    10 * MINUTES,
  );
});

describe('each mutant is seen', () => {
  it.each([...callMutants, ...decisionMutants])('where $name: not "$violates"', (mutant) => {
    const { violates } = mutant;
    const size = sizeOf({ ...one, ...mutant.size });
    const seen = explore(firstWorld(size), size, rulesOf(mutant), { until: violates });
    expect([...seen.violations.keys()]).toContain(violates);
    const unchanged = explore(firstWorld(size), size, rules, { limit: seen.states });
    expect(unchanged.violations).toEqual(new Map());
  });
});
