import type { Guard } from './process/guard.js';
import type { Supervision } from './process/supervised.js';
import type { RunFolder } from './run-folder.js';

/** What every server of a stack starts with. */
export interface Surroundings {
  readonly run: RunFolder;
  readonly guard: Guard;
  /** One line for whoever started the stack. */
  readonly say: (line: string) => void;
  readonly supervision: (startWithin: number) => Supervision;
}
