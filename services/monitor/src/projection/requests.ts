import { type JobProjection, type RequestAnswer, REQUESTS_KEPT } from './job.js';
import { compareHappenings, keepFirst, lastOf } from './order.js';
import type { LedgerMessage, MessageNamed } from './recorded.js';

type Happening = { at: string; id: string };
const newestFirst = (a: Happening, b: Happening) => compareHappenings(b, a);

export function requested(job: JobProjection, message: LedgerMessage): JobProjection {
  const request = { at: message.time, id: message.id, type: message.type };
  return { ...job, requests: keepFirst(job.requests, [request], newestFirst, REQUESTS_KEPT) };
}

type Answer = MessageNamed<
  'DeletionPaused' | 'DeletionResumed' | 'DeletionCancelled' | 'RateChanged' | 'PurgesRetried'
>;

export function answered(job: JobProjection, message: Answer, requestType: string): JobProjection {
  const { requestId } = message.data;
  return withAnswer(job, { ...happening(message), requestId, requestType, outcome: 'applied', reason: null });
}

export function refused(job: JobProjection, message: MessageNamed<'RequestRefused'>): JobProjection {
  const { requestId, requestType, reason, message: text } = message.data;
  const answer = { ...happening(message), requestId, requestType, outcome: 'refused' as const, reason: text };
  const told = withAnswer(job, answer);
  // A conflict is another request's with the same id: it says nothing against the job that has it.
  if (requestType !== 'DeleteRequested' || reason === 'conflict') return told;
  const refusal = { ...happening(message), reason, message: text };
  return { ...told, refused: lastOf(job.refused, refusal) };
}

function withAnswer(job: JobProjection, answer: RequestAnswer): JobProjection {
  return { ...job, answers: keepFirst(job.answers, [answer], newestFirst, REQUESTS_KEPT) };
}

const happening = (message: LedgerMessage): Happening => ({ at: message.time, id: message.id });
