import { Positions, positions } from '@expunge/contracts';
import { dispositionOf } from '../object-store/disposition.js';
import type { Answer, Refusal } from '../object-store/object-store.js';
import type { AnsweredCall } from './purge-calls.js';
import type { Target } from './purge-work.js';

/** Positions by the store's code, each with the first message that came with it. */
export type ByCode = ReadonlyMap<string, { positions: Positions; message: string }>;

/** Every position that was asked for stands in exactly one of these. */
export interface PurgeOutcome {
  purged: Positions;
  /** Asking again would not help. */
  permanent: ByCode;
  /** To be asked for again. */
  transient: ByCode;
}

type Verdict = 'purged' | { refusal: Refusal; permanent: boolean };

const notAnswered: Refusal = {
  code: 'NOT_ANSWERED',
  message: 'the store answered without a word on this key',
  status: null,
};

export function purgeOutcomeOf(answered: readonly AnsweredCall[]): PurgeOutcome {
  const purged: number[] = [];
  const permanent = new Map<string, { at: number[]; message: string }>();
  const transient = new Map<string, { at: number[]; message: string }>();
  for (const { targets, answer } of answered) {
    const verdictOf = reader(answer);
    for (const target of targets) {
      const verdict = verdictOf(target);
      if (verdict === 'purged') {
        purged.push(target.position);
        continue;
      }
      const { code, message } = verdict.refusal;
      const codes = verdict.permanent ? permanent : transient;
      const entry = codes.get(code);
      if (entry) entry.at.push(target.position);
      else codes.set(code, { at: [target.position], message });
    }
  }
  return { purged: positions.positionsOf(purged), permanent: byCode(permanent), transient: byCode(transient) };
}

/** Transient refusals that were waited for long enough become permanent ones. */
export function givenUp({ purged, permanent, transient }: PurgeOutcome): PurgeOutcome {
  const timedOut = [...transient].map(([code, entry]) => [`TIMED_OUT_${code}`, entry] as const);
  return { purged, permanent: new Map([...permanent, ...timedOut]), transient: new Map() };
}

export function positionsIn(codes: ByCode): Positions {
  return positions.union(...[...codes.values()].map((entry) => entry.positions));
}

function reader(answer: Answer): (target: Target) => Verdict {
  if (answer.kind === 'refused') {
    const verdict = refused(answer.refusal);
    return () => verdict;
  }
  const deleted = new Set(answer.deleted);
  const errors = new Map(answer.errors.map((error) => [error.key, error]));
  return ({ key }) => {
    // An error is believed before a success, should a store name the same key twice.
    const error = errors.get(key);
    if (error) return dispositionOf(error) === 'gone' ? 'purged' : refused(error);
    return deleted.has(key) ? 'purged' : refused(notAnswered);
  };
}

function refused(refusal: Refusal): Verdict {
  const disposition = dispositionOf(refusal);
  return { refusal, permanent: disposition === 'denied' || disposition === 'malformed' };
}

function byCode(codes: Map<string, { at: number[]; message: string }>): ByCode {
  return new Map(
    [...codes].map(([code, { at, message }]) => [code, { positions: positions.positionsOf(at), message }]),
  );
}
