import { z } from 'zod';
import type { FieldError } from '../problems/problem.js';

const Position = z.string().regex(/^\d{1,15}$/);

export type StreamStart = { ok: true; after: number; isResumed: boolean } | { ok: false; errors: FieldError[] };

/** From where on: behind the event named by `Last-Event-ID`, which a client that comes back sends; else behind `after`; else all. */
export function parseStreamStart(query: unknown, lastEventId: string | undefined): StreamStart {
  const errors: FieldError[] = [];
  const { after = '0', ...others } = query as { after?: unknown };
  if (!Position.safeParse(after).success) {
    errors.push({ parameter: 'after', detail: 'must be a position, as events have it' });
  }
  if (lastEventId !== undefined && lastEventId !== '' && !Position.safeParse(lastEventId).success) {
    errors.push({ header: 'Last-Event-ID', detail: 'must be the id of an event of this stream' });
  }
  errors.push(...Object.keys(others).map((parameter) => ({ parameter, detail: 'is not known here' })));
  if (errors.length > 0) return { ok: false, errors };
  const isResumed = lastEventId !== undefined && lastEventId !== '';
  return { ok: true, after: Number(isResumed ? lastEventId : after), isResumed };
}
