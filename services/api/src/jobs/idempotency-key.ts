import type { FieldError } from '../problems/problem.js';

export type ParsedKey = { ok: true; key: string | undefined } | { ok: false; errors: FieldError[] };

/** The Idempotency-Key header: 1 to 255 visible ASCII characters; none means that each request is a job of its own. */
export function parseIdempotencyKey(header: string | undefined): ParsedKey {
  if (header === undefined || /^[\x21-\x7e]{1,255}$/.test(header)) return { ok: true, key: header };
  return {
    ok: false,
    errors: [{ header: 'Idempotency-Key', detail: 'must be 1 to 255 visible ASCII characters, without spaces' }],
  };
}
