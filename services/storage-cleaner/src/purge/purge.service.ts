import { dispositionOf } from '../object-store/disposition.js';
import type { Answer, ObjectStore, Refusal } from '../object-store/object-store.js';
import { type AnsweredCall, halvesOf, keysOf, type PurgeCall, purgeCallsOf } from './purge-calls.js';
import { type PurgeOutcome, purgeOutcomeOf } from './purge-outcome.js';
import type { Target } from './purge-work.js';

/** Calls of one message under way at once; with the queue's prefetch this bounds the sockets in use. */
export const CONCURRENT_CALLS = 4;

/** Asks the store for every target, in as many calls as that takes. Expected refusals are in the outcome, not thrown. */
export class PurgeService {
  constructor(private readonly store: ObjectStore) {}

  async purge(targets: readonly Target[]): Promise<PurgeOutcome> {
    const { calls, unsent } = purgeCallsOf(targets);
    const answered: AnsweredCall[] = [...unsent];
    // Once the store is away or busy, further calls would each wait out their time, and hold the delivery for minutes.
    let away: Refusal | null = null;
    const waiting = calls.values();
    const worker = async () => {
      for (const call of waiting) {
        const answers = away ? [{ targets: call.targets, answer: refusedAs(away) }] : await this.ask(call);
        for (const { answer } of answers) {
          if (answer.kind === 'refused' && dispositionOf(answer.refusal) === 'transient') away ??= answer.refusal;
        }
        answered.push(...answers);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_CALLS }, worker));
    return purgeOutcomeOf(answered);
  }

  /** A call that the store cannot read is divided until the key at fault stands alone. */
  private async ask(call: PurgeCall): Promise<AnsweredCall[]> {
    const [key = ''] = keysOf(call);
    const answer = await (call.form === 'bulk' ? this.store.deleteMany(keysOf(call)) : this.askOne(key));
    if (answer.kind === 'refused' && dispositionOf(answer.refusal) === 'malformed') {
      const halves = halvesOf(call);
      if (halves) return [...(await this.ask(halves[0])), ...(await this.ask(halves[1]))];
    }
    return [{ targets: call.targets, answer }];
  }

  private async askOne(key: string): Promise<Answer> {
    const answer = await this.store.deleteOne(key);
    if (answer.kind === 'refused' && dispositionOf(answer.refusal) === 'gone') {
      return { kind: 'answered', deleted: [key], errors: [] };
    }
    return answer;
  }
}

function refusedAs(refusal: Refusal): Answer {
  return { kind: 'refused', refusal };
}
