import type { DeletionJob, Plan } from '../../src/deletion-job/deletion-job.js';

/** A part of a handler that begins with nothing but these. */
export type Stage =
  | { part: 'message' }
  | { part: 'batches'; job: DeletionJob; flushed: readonly string[]; page: ModelPage | null; step: number }
  | { part: 'fenced'; plan: Plan; gone: Gone; wasRefused: boolean };

export interface ModelPage {
  records: { id: string; keys: { readable: true; keys: string[] } }[];
  closesAt: string | null;
  window: null;
}

/** What a resolution found. */
export interface Gone {
  gone: number;
  objectKeys: string[];
  kept: string[];
}
