import { type Positions, positions } from '@expunge/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Answer } from '../object-store/object-store.js';
import type { AnsweredCall } from './purge-calls.js';
import { type ByCode, givenUp, positionsIn, purgeOutcomeOf } from './purge-outcome.js';

const targetsOf = (keys: string[], from = 0) => keys.map((key, i) => ({ position: from + i, key }));
const refused = (code: string, status: number | null = null): Answer => ({
  kind: 'refused',
  refusal: { code, message: `${code} said`, status },
});
const error = (key: string, code: string) => ({ key, code, message: `${code} of ${key}`, status: null });
const plain = (codes: ByCode) => Object.fromEntries([...codes].map(([code, { positions: at }]) => [code, at]));

test('each key is purged, failed, or to be asked for again, as its own answer says', () => {
  const keys = ['gone', 'denied', 'busy', 'missing', 'locked', 'unanswered', 'denied too'];
  const outcome = purgeOutcomeOf([
    {
      targets: targetsOf(keys),
      answer: {
        kind: 'answered',
        deleted: ['gone', 'not asked for'],
        errors: [
          error('denied', 'AccessDenied'),
          error('busy', 'SlowDown'),
          error('missing', 'NoSuchKey'),
          error('locked', 'ObjectLockedByBucketPolicy'),
          error('denied too', 'AccessDenied'),
        ],
      },
    },
  ]);
  expect(outcome.purged).toEqual([
    [0, 0],
    [3, 3],
  ]);
  expect(outcome.permanent.get('AccessDenied')).toEqual({
    positions: [
      [1, 1],
      [6, 6],
    ],
    message: 'AccessDenied of denied',
  });
  expect(plain(outcome.permanent)).toEqual({
    AccessDenied: [
      [1, 1],
      [6, 6],
    ],
    ObjectLockedByBucketPolicy: [[4, 4]],
  });
  expect(plain(outcome.transient)).toEqual({ SlowDown: [[2, 2]], NOT_ANSWERED: [[5, 5]] });
});

test('a key that is both deleted and an error is not purged', () => {
  const answer: Answer = { kind: 'answered', deleted: ['a'], errors: [error('a', 'InternalError')] };
  expect(purgeOutcomeOf([{ targets: targetsOf(['a']), answer }]).purged).toEqual([]);
});

test.each<[Answer, 'permanent' | 'transient', string]>([
  [refused('AccessDenied', 403), 'permanent', 'AccessDenied'],
  [refused('MalformedXML', 400), 'permanent', 'MalformedXML'],
  [refused('SlowDown', 503), 'transient', 'SlowDown'],
  [refused('NoSuchBucket', 404), 'transient', 'NoSuchBucket'],
  [refused('TIMEOUT'), 'transient', 'TIMEOUT'],
  // No store says this of a bulk call: believed of a key, not of a thousand.
  [refused('NoSuchKey', 404), 'transient', 'NoSuchKey'],
])('a call refused as a whole has the same outcome for all its keys: %j', (answer, kind, code) => {
  const outcome = purgeOutcomeOf([{ targets: targetsOf(['a', 'b', 'c'], 10), answer }]);
  expect(plain(outcome[kind])).toEqual({ [code]: [[10, 12]] });
  expect(outcome.purged).toEqual([]);
});

test('what is given up says for what it was waited', () => {
  const answered = [
    { targets: targetsOf(['a']), answer: refused('TIMEOUT') },
    { targets: targetsOf(['b'], 1), answer: refused('AccessDenied', 403) },
  ];
  const outcome = givenUp(purgeOutcomeOf(answered));
  expect(plain(outcome.permanent)).toEqual({ AccessDenied: [[1, 1]], TIMED_OUT_TIMEOUT: [[0, 0]] });
  expect(outcome.transient.size).toBe(0);
});

const codes = ['AccessDenied', 'SlowDown', 'NoSuchKey', 'InvalidArgument', 'Strange', 'constructor'];
const anyKey = fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__');
const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({
    kind: fc.constant('answered' as const),
    deleted: fc.array(anyKey),
    errors: fc.array(fc.tuple(anyKey, fc.constantFrom(...codes)).map(([key, code]) => error(key, code))),
  }),
  fc.tuple(fc.constantFrom(...codes), fc.constantFrom(null, 400, 403, 404, 429, 503)).map(([c, s]) => refused(c, s)),
);

test('any answers leave every position in exactly one place', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.array(anyKey), anyAnswer)), (given) => {
      const answered: AnsweredCall[] = [];
      let next = 0;
      for (const [keys, answer] of given) {
        answered.push({ targets: targetsOf(keys, next), answer });
        next += keys.length;
      }
      const { purged, permanent, transient } = purgeOutcomeOf(answered);
      const parts: Positions[] = [purged, ...[permanent, transient].flatMap((c) => Object.values(plain(c)))];
      expect(positions.union(...parts)).toEqual(next === 0 ? [] : [[0, next - 1]]);
      expect(parts.reduce((sum, part) => sum + positions.count(part), 0)).toBe(next);
      expect(positions.count(positionsIn(permanent)) + positions.count(positionsIn(transient))).toBe(
        next - positions.count(purged),
      );
    }),
  );
});
