/** What a script may switch on; the same table stands in docs/cli.md. */
export const exitCode = {
  done: 0,
  /** The API said no: 4xx. */
  refused: 1,
  /** The command line is wrong: nothing was asked. */
  usage: 2,
  /** No answer, or one that says to try again: 429, 5xx. */
  unavailable: 3,
  /** The job is over, and not all of what was asked for is gone. */
  notCompleted: 4,
  /** The job waits for somebody who confirms. */
  awaitsConfirmation: 5,
  /** Something is wrong: a verdict that blocks, a system that is not `ok`. */
  unwell: 6,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
