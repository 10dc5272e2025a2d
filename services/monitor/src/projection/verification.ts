import { type Positions, positions, type Residue } from '@expunge/contracts';
import { batchOf, failedOf } from './batch-blocks.js';
import { keptIn } from './again.js';
import type { JobProjection, Verification } from './job.js';
import { type PositionSet, read, written } from './position-set.js';
import type { MessageNamed } from './recorded.js';

export function recordsVerified(job: JobProjection, { data }: MessageNamed<'RecordsVerified'>): JobProjection {
  const { finished, left, firstLeft, otherTypes, isComplete, chunks } = data;
  return changed(job, finished, (known) => ({
    ...known,
    records: { left, firstLeft, otherTypes, isComplete, chunks },
  }));
}

/** A chunk may be answered twice, and otherwise: an object that was ever found there counts as found. */
export function objectsChecked(job: JobProjection, { data }: MessageNamed<'ObjectsChecked'>): JobProjection {
  const { finished, chunk, checked, present, refused } = data;
  return changed(job, finished, (known) => {
    const unsaid = refused.reduce((sum, one) => sum + positions.count(one.positions), 0);
    return {
      ...known,
      chunks: positions.union(known.chunks, [[chunk, chunk]]),
      // The keys of a chunk are always the same ones.
      asked: positions.has(known.chunks, chunk) ? known.asked : known.asked + checked + unsaid,
      present: joined(known.present, present),
      refused: joined(known.refused, refused),
    };
  });
}

function changed(job: JobProjection, finished: number, change: (known: Verification) => Verification): JobProjection {
  const known = job.verification;
  if (known !== null && known.finished > finished) return job;
  const fresh: Verification = { finished, records: null, chunks: [], asked: 0, present: {}, refused: {} };
  return { ...job, verification: change(known?.finished === finished ? known : fresh) };
}

function joined(
  sets: Record<string, PositionSet>,
  more: readonly { batch: number; positions: Positions }[],
): Record<string, PositionSet> {
  const all = { ...sets };
  for (const { batch, positions: which } of more) {
    all[batch] = written(positions.union(read(all[batch] ?? ''), which));
  }
  return all;
}

/** What of the job's last end has been looked for; null while nothing is known of that. */
export function verificationOf(job: JobProjection): Verification | null {
  const { stage, verification } = job;
  return stage?.name === 'finished' && verification?.finished === stage.sequence ? verification : null;
}

/** Chunks that the storage-cleaner has not answered. */
export function openChunks({ records, chunks }: Verification): Positions {
  return records === null || records.chunks === 0 ? [] : positions.difference([[1, records.chunks]], chunks);
}

export const isVerified = (verification: Verification | null): boolean =>
  verification !== null && verification.records !== null && openChunks(verification).length === 0;

/** Objects that failed or were kept are told as such: that they are still there is no news. */
export function presentObjects(job: JobProjection, { present }: Verification): [batch: number, Positions][] {
  return Object.entries(present).flatMap(([number, set]): [number, Positions][] => {
    const batch = batchOf(job.batches, Number(number));
    const known = batch ? positions.union(failedOf(batch), keptIn(batch.again)) : [];
    const rest = positions.difference(read(set), known);
    return rest.length > 0 ? [[Number(number), rest]] : [];
  });
}

/** Null: nobody has looked. */
export function residueOf(job: JobProjection): Residue | null {
  const verification = verificationOf(job);
  if (!verification?.records) return null;
  const { left, otherTypes, isComplete } = verification.records;
  const count = (sets: Iterable<Positions>) => [...sets].reduce((sum, set) => sum + positions.count(set), 0);
  const refused = count(Object.values(verification.refused).map(read));
  const present = count(presentObjects(job, verification).map(([, which]) => which));
  return {
    records: { left, otherTypes, isComplete },
    objects: { checked: verification.asked - refused, present, refused },
  };
}
