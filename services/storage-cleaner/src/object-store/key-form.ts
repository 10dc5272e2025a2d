/** S3's limit, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

export type KeyForm = 'bulk' | 'single' | 'too-long' | 'not-sendable';

// What XML 1.0 cannot carry, or carries only as a character reference that not every store reads back.
// eslint-disable-next-line no-control-regex
const harmedByXml = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/;

/**
 * How a key can be named to the store without naming another one by mistake: stores exist (Cloudflare's R2 simulator)
 * that trim the XML of a bulk delete, so that asking for `a/b ` deletes `a/b`, which may be somebody else's.
 * In a path, on the other hand, `.` and `..` are resolved away.
 */
export function keyFormOf(key: string): KeyForm {
  // UTF-8 turns a lone surrogate into U+FFFD: another key.
  if (key === '' || !key.isWellFormed()) return 'not-sendable';
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return 'too-long';
  if (key === key.trim() && !harmedByXml.test(key)) return 'bulk';
  return key.split('/').some((segment) => segment === '.' || segment === '..') ? 'not-sendable' : 'single';
}
