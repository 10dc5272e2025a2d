import { parse } from 'lossless-json';
import { ProblemError } from './problems/problem.js';

/** Of a member's name, in characters. */
const SHOWN = 100;

/**
 * JSON.parse takes the last of two members of one name: another selection, perhaps a wider one, than somebody read.
 * Two of the same value are one.
 * @throws ProblemError malformed-request: also for what is no JSON, or so deep that it cannot be looked through
 */
export function refuseRepeatedMembers(text: string): void {
  try {
    parse(text, undefined, { parseNumber: Number, onDuplicateKey: ({ key }) => refuseMember(key) });
  } catch (error) {
    if (error instanceof SyntaxError) throw new ProblemError('malformed-request', 'The body is not well-formed JSON.');
    if (error instanceof RangeError) throw new ProblemError('malformed-request', 'The body is nested too deeply.');
    throw error;
  }
}

function refuseMember(name: string): never {
  const detail = `The body has the member ${JSON.stringify(name.slice(0, SHOWN))} twice, with different values.`;
  throw new ProblemError('malformed-request', detail);
}
