import { expect } from '@jest/globals';
import type { ShownDiagnosis, ShownEvidence } from '../../support/system.js';

/** Evidence as it must be; a pattern where part of it cannot be known beforehand. */
type Expected = { [part in keyof ShownEvidence]?: string | RegExp };

/** That the verdict rests on this, among whatever else. */
export function expectEvidence(said: Pick<ShownDiagnosis, 'evidence'>, expected: Expected): void {
  const parts = Object.entries(expected).map(([part, what]) => [
    part,
    what instanceof RegExp ? (expect.stringMatching(what) as unknown) : what,
  ]);
  expect(said.evidence).toContainEqual(expect.objectContaining(Object.fromEntries(parts) as object));
}

export function expectSaid({ summary }: ShownDiagnosis, words: string): void {
  if (!summary?.includes(words)) throw new Error(`not said: ${words}; but: ${summary}`);
}

/** As said: of "heard 9 s ago", by a pattern with one group. */
export function numberIn(text: string, pattern: RegExp): number {
  const [, number] = pattern.exec(text) ?? [];
  if (number === undefined) throw new Error(`no ${String(pattern)} in: ${text}`);
  return Number(number);
}
