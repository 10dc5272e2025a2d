import { invalid, ProblemError } from '../problems/problem.js';

const RETRY = { 'Retry-After': '2' };

export const isJobId = (id: string): boolean => /^[\w-]{1,100}$/.test(id);

export const wrongCursor = (): ProblemError =>
  invalid([{ parameter: 'cursor', detail: 'must be the next_cursor of an earlier answer' }]);

export const noSuchJob = (): ProblemError => new ProblemError('not-found', 'There is no job with this id.');

export const notKnownYet = (): ProblemError => {
  const detail =
    'Whether this job was accepted is not known; if it was, it is found here once a monitor has heard of it.';
  return new ProblemError('not-found', detail);
};

/** @param job of which it is not known what became of it */
export function unreachable(job?: string): ProblemError {
  const detail =
    job === undefined
      ? 'No monitor answers; try again.'
      : `No monitor answers, so what became of the job is not known; try again. What can be found out without one is at /api/jobs/${job}/diagnosis.`;
  return new ProblemError('monitor-unreachable', detail, { not_checked: ['monitor'] }, RETRY);
}

export const notKnownThen = (at: string): ProblemError => {
  const detail = `The job was not known at ${at}: no monitor had heard of it by then.`;
  return new ProblemError('not-found', detail);
};
