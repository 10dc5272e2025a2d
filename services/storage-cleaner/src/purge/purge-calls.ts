import { keyFormOf, MAX_KEY_BYTES } from '../object-store/key-form.js';
import { type Answer, MAX_KEYS_PER_CALL } from '../object-store/object-store.js';
import type { Target } from './purge-work.js';

/** One request to the store. Several targets of a call may name the same key; it is sent once. */
export interface PurgeCall {
  form: 'bulk' | 'single';
  targets: Target[];
}

export interface AnsweredCall {
  targets: Target[];
  answer: Answer;
}

export interface PurgeCalls {
  calls: PurgeCall[];
  /** Keys that are never sent, because no request would name them and nothing else; with the answer they get instead. */
  unsent: AnsweredCall[];
}

export function purgeCallsOf(targets: readonly Target[]): PurgeCalls {
  const forms = Object.groupBy(targets, ({ key }) => keyFormOf(key));
  const byKey = [...Map.groupBy(forms.bulk ?? [], ({ key }) => key).values()];
  const bulk: PurgeCall[] = [];
  for (let i = 0; i < byKey.length; i += MAX_KEYS_PER_CALL) {
    bulk.push({ form: 'bulk', targets: byKey.slice(i, i + MAX_KEYS_PER_CALL).flat() });
  }
  const single = (forms.single ?? []).map((target): PurgeCall => ({ form: 'single', targets: [target] }));
  return {
    calls: [...bulk, ...single],
    unsent: [
      ...unsent(forms['too-long'], 'KeyTooLongError', `a key has at most ${MAX_KEY_BYTES} bytes`),
      ...unsent(forms['not-sendable'], 'KEY_NOT_SENDABLE', 'no request can name this key and nothing else'),
    ],
  };
}

function unsent(targets: Target[] | undefined, code: string, message: string): AnsweredCall[] {
  return targets ? [{ targets, answer: { kind: 'refused', refusal: { code, message, status: null } } }] : [];
}

export function keysOf(call: Pick<PurgeCall, 'targets'>): string[] {
  return [...new Set(call.targets.map(({ key }) => key))];
}

/** The same call in two, to find the key that makes the store refuse all of it; null when there is but one key. */
export function halvesOf(call: PurgeCall): [PurgeCall, PurgeCall] | null {
  const keys = keysOf(call);
  if (keys.length < 2) return null;
  const first = new Set(keys.slice(0, Math.ceil(keys.length / 2)));
  return [
    { form: call.form, targets: call.targets.filter(({ key }) => first.has(key)) },
    { form: call.form, targets: call.targets.filter(({ key }) => !first.has(key)) },
  ];
}
