import type { Invariant } from './invariants.js';
import { type Rules, rules } from './rules.js';
import type { Size } from './world.js';

export interface Mutant {
  /** What is wrong with it. */
  name: string;
  wrong: Partial<Rules>;
  /** Where it is seen. */
  size: Partial<Size>;
  violates: Invariant;
}

export const rulesOf = (mutant: Mutant): Rules => ({ ...rules, ...mutant.wrong });
