import { ProblemError } from '../problems/problem.js';
import type { PausedAll } from './pause-all-answer.js';

/** Named in an answer, at most. */
export const NAMED = 1000;

/** Who could not say which jobs there are. */
export type NotChecked = 'monitor' | 'acceptances';

const missed: Record<NotChecked, string> = {
  monitor: 'No monitor answers: what was accepted was asked, over or not, and a job whose acceptance is gone goes on.',
  acceptances: 'The database of acceptances does not answer: a job that no monitor has heard of goes on.',
};

export function notAllPaused(
  asked: number,
  notAsked: PausedAll['jobs'],
  notChecked: readonly NotChecked[],
): ProblemError {
  const failed = `Of ${asked + notAsked.length} jobs ${notAsked.length} may not have been asked to pause.`;
  const why = [...(notAsked.length > 0 ? [failed] : []), ...notChecked.map((who) => missed[who])];
  const said = { asked, not_asked: notAsked.slice(0, NAMED), not_checked: notChecked };
  return new ProblemError('not-all-paused', `${why.join(' ')} Asked again, they are.`, said, { 'Retry-After': '2' });
}
