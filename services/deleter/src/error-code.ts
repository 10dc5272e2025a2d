import { TransientError } from '@expunge/messaging';

/** For machines, and the same for ever: our own code, or the database's name for what it refused. */
export function codeOf(error: unknown): string {
  if (error instanceof TransientError) return error.code;
  const code: unknown = typeof error === 'object' && error !== null && 'codeName' in error ? error.codeName : undefined;
  return typeof code === 'string' ? code : 'UNEXPECTED';
}
