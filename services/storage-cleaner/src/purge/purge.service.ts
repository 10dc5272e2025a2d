import { isThrottled } from '@expunge/contracts';
import { CallLimit } from '../object-store/call-limit.js';
import { dispositionOf } from '../object-store/disposition.js';
import type { Answer, Bucket, Refusal } from '../object-store/object-store.js';
import { type AnsweredCall, halvesOf, keysOf, type PurgeCall, purgeCallsOf } from './purge-calls.js';
import { type PurgeOutcome, purgeOutcomeOf } from './purge-outcome.js';
import type { Target } from './purge-work.js';

/** Calls of one message under way at once, at most; of all messages together as many as the bucket takes. */
export const CONCURRENT_CALLS = 16;

/** Asks the bucket for every target, in as many calls as that takes. Expected refusals are in the outcome, not thrown. */
export class PurgeService {
  constructor(
    private readonly bucket: Bucket,
    private readonly limit = new CallLimit(),
  ) {}

  /** `onAnswer`: at each answer of the store. */
  async purge(targets: readonly Target[], onAnswer: () => void = () => undefined): Promise<PurgeOutcome> {
    const { calls, unsent } = purgeCallsOf(targets);
    const answered: AnsweredCall[] = [...unsent];
    // Once the store is away or busy, further calls would each wait out their time, and hold the delivery for minutes.
    const met: { away?: Refusal } = {};
    const ask = async (call: PurgeCall) => {
      if (met.away) return null;
      const answers = await this.ask(call);
      for (const { answer } of answers) {
        if (answer.kind === 'refused' && dispositionOf(answer.refusal) === 'transient') met.away ??= answer.refusal;
      }
      return answers;
    };
    const waiting = calls.values();
    const worker = async () => {
      for (const call of waiting) {
        const answers = await this.limit.run(() => ask(call), saysBusy);
        onAnswer();
        if (answers) answered.push(...answers);
        else if (met.away) answered.push({ targets: call.targets, answer: refusedAs(met.away) });
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_CALLS }, worker));
    return purgeOutcomeOf(answered);
  }

  private async ask(call: PurgeCall): Promise<AnsweredCall[]> {
    const answer = await this.answerTo(call);
    if (!isMalformed(answer)) return [{ targets: call.targets, answer }];
    const setUp = setUpWrongly(await this.bucket.probe());
    return setUp ? [{ targets: call.targets, answer: refusedAs(setUp) }] : this.divide(call, answer);
  }

  /** A call that the store cannot read is halved until the key at fault stands alone. */
  private async divide(call: PurgeCall, answer: Answer): Promise<AnsweredCall[]> {
    const halves = isMalformed(answer) ? halvesOf(call) : null;
    if (!halves) return [{ targets: call.targets, answer }];
    const [first, second] = halves;
    return [
      ...(await this.divide(first, await this.answerTo(first))),
      ...(await this.divide(second, await this.answerTo(second))),
    ];
  }

  private async answerTo(call: PurgeCall): Promise<Answer> {
    const keys = keysOf(call);
    if (call.form === 'bulk') return this.bucket.deleteMany(keys);
    const [key = ''] = keys;
    const answer = await this.bucket.deleteOne(key);
    const gone = answer.kind === 'refused' && dispositionOf(answer.refusal) === 'gone';
    return gone ? { kind: 'answered', deleted: [key], errors: [] } : answer;
  }
}

/** Null: the bucket was not asked. */
function saysBusy(answered: readonly AnsweredCall[] | null): boolean | null {
  if (answered === null) return null;
  return answered.some(({ answer }) =>
    answer.kind === 'refused' ? isThrottled(answer.refusal) : answer.errors.some((error) => isThrottled(error)),
  );
}

function isMalformed(answer: Answer): boolean {
  return answer.kind === 'refused' && dispositionOf(answer.refusal) === 'malformed';
}

/**
 * A store that cannot read a question without keys either does not mean the keys: R2 says InvalidArgument of an access
 * key of the wrong length. That is to be set right by a person, and no reason to give up objects.
 */
function setUpWrongly(bucket: Refusal | null): Refusal | null {
  if (bucket === null) return null;
  const disposition = dispositionOf(bucket);
  if (disposition === 'malformed') return { ...bucket, code: `SET_UP_${bucket.code}`, status: null };
  return disposition === 'transient' ? bucket : null;
}

function refusedAs(refusal: Refusal): Answer {
  return { kind: 'refused', refusal };
}
