/** The command line, or what it names, is wrong: nothing is asked. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
