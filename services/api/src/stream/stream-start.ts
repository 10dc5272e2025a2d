import type { FieldError } from '../problems/problem.js';
import { parseQuery, StreamParameters } from '../jobs/list-query.js';

export type StreamStart = { ok: true; after: number; isResumed: boolean } | { ok: false; errors: FieldError[] };

/** From where on: behind the event named by `Last-Event-ID`, which a client that comes back sends; else behind `after`; else all. */
export function parseStreamStart(query: unknown, lastEventId = ''): StreamStart {
  const asked = parseQuery(StreamParameters, query);
  const isResumed = lastEventId !== '';
  const isPosition = !isResumed || StreamParameters.safeParse({ after: lastEventId }).success;
  const detail = 'must be the id of an event of this stream';
  const ofHeader = isPosition ? [] : [{ header: 'Last-Event-ID', detail }];
  if (!asked.ok) return { ok: false, errors: [...asked.errors, ...ofHeader] };
  if (!isPosition) return { ok: false, errors: ofHeader };
  return { ok: true, after: isResumed ? Number(lastEventId) : asked.query.after, isResumed };
}

/**
 * What is asked for, where the ledger reaches that far; else, as after a restore, everything: an event told twice is known
 * by its id, one left out by nothing. `found`: events from the one asked for on; `ledgerAt`: a position the ledger has.
 */
export const beginningOf = (asked: number, found: number, ledgerAt: number | null): number =>
  found > 0 || asked <= (ledgerAt ?? 0) ? asked : 0;
