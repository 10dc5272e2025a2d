import { CommanderError } from 'commander';
import { type Problem, ProblemAnswer, Unreachable } from './api.adapter.js';
import { exitCode, type ExitCode } from './exit-code.js';
import { printable } from './text.js';

/** Why nothing came of a command. */
export interface Failure {
  readonly exitCode: ExitCode;
  /** For programs: as the API's problems are (RFC 9457), also where the API did not answer, or not with one. */
  readonly problem: { readonly code: string; readonly title: string; readonly detail: string } & Partial<Problem>;
  /** For people. */
  readonly lines: readonly string[];
}

/** null: something that nobody thought of. */
export function failureOf(error: unknown): Failure | null {
  if (error instanceof ProblemAnswer) return refusal(error);
  if (error instanceof Unreachable) {
    const problem = { code: 'unreachable', title: 'Nobody answers', detail: error.message };
    return { exitCode: exitCode.unavailable, problem, lines: [`expunge: ${printable(error.message)}`] };
  }
  if (!(error instanceof CommanderError)) return null;
  const detail = error.code === 'commander.help' ? 'no command is named' : error.message.replace(/^error: /, '');
  const problem = { code: 'wrong-command-line', title: 'The command line is wrong, nothing was asked', detail };
  // People have been told by then.
  return { exitCode: exitCode.usage, problem, lines: [] };
}

function refusal(answer: ProblemAnswer): Failure {
  const { problem, message, isForNow } = answer;
  const { status, errors, trace_id: trace } = problem;
  const title = text(problem.title) ?? `HTTP ${status}`;
  return {
    exitCode: isForNow ? exitCode.unavailable : exitCode.refused,
    problem: { ...problem, code: text(problem.code) ?? 'no-problem', title, detail: text(problem.detail) ?? title },
    lines: [
      `expunge: ${printable(message)}`,
      ...(Array.isArray(errors) ? errors : []).map((one) => `  ${printable(JSON.stringify(one))}`),
      ...(trace === undefined ? [] : [`  trace ${printable(trace)}`]),
    ],
  };
}

/** Of what is not the API's own, anything may stand there. */
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
