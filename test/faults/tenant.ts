import type { Receipt } from '../support/system.js';

/** What somebody knows of a thing that was tried while servers die: an answer may have been lost. */
export type Known = 'no' | 'yes' | 'perhaps';

/** From an insert of a record to its end. Its files are its own: a key is written once. */
export interface Life {
  /** The first is there from its beginning; others may not have got into the record. */
  readonly keys: [string, ...string[]];
  /** Its insert. */
  born: Exclude<Known, 'no'>;
  /** Whether the application itself deleted it, and so took its files away. */
  taken: Known;
}

/** A record that is to go. The application may delete it itself, and insert it again under its old id. */
export interface PlannedRecord {
  readonly id: string;
  readonly lives: [Life, ...Life[]];
}

/** What the application knows of one tenant: what is to go, what it did to that, and what it is to keep. */
export interface Tenant {
  readonly id: string;
  readonly job: string;
  readonly planned: readonly PlannedRecord[];
  /** Created after the request: nobody may touch them. */
  readonly inserted: Receipt[];
  /** Until then the job is at its first pass, and meets in a later one whatever is inserted again. */
  readonly reinsertUntil: number;
  /** Whether the job was cancelled. */
  cancelled: Known;
}

export function plannedRecord({ _id, attachments = [] }: Receipt): PlannedRecord {
  const [first, ...more] = attachments.map(({ key }) => key);
  if (first === undefined) throw new Error(`${_id.toHexString()} has no file`);
  return { id: _id.toHexString(), lives: [{ keys: [first, ...more], born: 'yes', taken: 'no' }] };
}

export const lastLifeOf = ({ lives }: PlannedRecord): Life => lives.at(-1) ?? lives[0];
