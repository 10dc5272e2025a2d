import type { WorkerHeartbeat } from '@expunge/contracts';
import { tellable } from './problem.js';

type Beat = WorkerHeartbeat['data'];
/** Fields of the heartbeat that a service adds about itself. */
export type HeartbeatFields = Partial<Pick<Beat, 'sequences' | 'missingIndexes' | 'sharedLimit'>>;

export const ACTIVITY = Symbol('Activity');

export interface Underway {
  /** Part of it is done: it does not hang since it began. */
  readonly movedOn: () => void;
  readonly end: () => void;
}

/** What this instance is doing and since when, for its heartbeat. */
export class Activity {
  private readonly running = new Map<symbol, NonNullable<Beat['doing']>>();
  private readonly contributors: (() => HeartbeatFields)[] = [];
  private error: Beat['lastError'] = null;

  /** Notes that something began. */
  begin(what: string, job: string | null = null): Underway {
    const key = Symbol(what);
    const note = () => this.running.set(key, { what, job, since: new Date().toISOString() });
    note();
    const movedOn = () => {
      // Again at the end, since the oldest comes first; what has ended stays ended.
      if (this.running.delete(key)) note();
    };
    return { movedOn, end: () => this.running.delete(key) };
  }

  failed(code: string, message: string): void {
    this.error = { code, message: tellable(message), at: new Date().toISOString() };
  }

  contribute(fields: () => HeartbeatFields): void {
    this.contributors.push(fields);
  }

  /** The oldest thing under way: the one that hangs, if one does. */
  snapshot(): Pick<Beat, 'doing' | 'lastError' | 'sequences' | 'missingIndexes' | 'sharedLimit'> {
    const [oldest] = this.running.values();
    const fields = this.contributors.map((contribute) => contribute());
    const sharedLimit = fields.find((f) => f.sharedLimit)?.sharedLimit;
    return {
      doing: oldest ?? null,
      lastError: this.error,
      sequences: Object.assign({}, ...fields.map((f) => f.sequences ?? {})) as Record<string, number>,
      missingIndexes: fields.find((f) => f.missingIndexes)?.missingIndexes ?? null,
      ...(sharedLimit && { sharedLimit }),
    };
  }
}
