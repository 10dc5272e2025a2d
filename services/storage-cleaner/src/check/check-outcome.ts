import { createHash } from 'node:crypto';
import {
  type KeysOfBatch,
  type ObjectCheckRequested,
  ObjectsChecked,
  objectsCheckedId,
  positions,
} from '@expunge/contracts';
import { dispositionOf } from '../object-store/disposition.js';
import type { Presence, Refusal } from '../object-store/object-store.js';
import { short, SOURCE } from '../purge/purge-report.js';
import { type Target, targetsOf } from '../purge/purge-work.js';

/** One purged key, and where it stands. */
export interface CheckedKey extends Target {
  batch: number;
  /** Undefined: S3_BUCKET. */
  bucket: string | undefined;
}

export interface KeyPresence extends CheckedKey {
  presence: Presence;
}

/** @throws ValidationError keys and positions do not match */
export function keysToCheck({ type, data }: ObjectCheckRequested): CheckedKey[] {
  return data.batches.flatMap((named) => {
    const { batch, bucket } = named;
    return targetsOf(type, named).map((target) => ({ batch, bucket, ...target }));
  });
}

/** The refusal to wait for, if the store gave one: what it says of other keys until then is asked again, too. */
export function refusalToWaitFor(found: readonly KeyPresence[]): Refusal | null {
  for (const { presence } of found) {
    if (typeof presence === 'object' && dispositionOf(presence.refusal) === 'transient') return presence.refusal;
  }
  return null;
}

/** What is said of a chunk. The id is of what was found: the store may answer otherwise when it is asked again. */
export function objectsChecked(
  request: ObjectCheckRequested,
  found: readonly KeyPresence[],
  facts: { instance: string; now: Date },
): ObjectsChecked {
  const { subject, tenantid, traceparent } = request;
  const { finished, chunk } = request.data;
  const present = byBatch(found.filter(({ presence }) => presence === 'present'));
  const unsaid = found.filter(({ presence }) => typeof presence === 'object');
  const [first] = unsaid.flatMap(({ presence }) => (typeof presence === 'object' ? [presence.refusal] : []));
  const refused = byBatch(unsaid).map(({ batch, positions: where }) => ({ batch, positions: where }));
  const refusal = first ? { code: first.code, message: short(first.message) } : null;
  const said = { finished, chunk, checked: found.length - unsaid.length, present, refused, refusal };
  const hash = createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 32);
  return ObjectsChecked.create({
    id: objectsCheckedId(subject, finished, chunk, hash),
    source: SOURCE,
    subject,
    time: facts.now.toISOString(),
    tenantid,
    traceparent,
    data: { ...said, instance: facts.instance },
  });
}

function byBatch(keys: readonly CheckedKey[]): KeysOfBatch[] {
  return [...Map.groupBy(keys, ({ batch }) => batch)].map(([batch, of]) => {
    const inOrder = of.toSorted((a, b) => a.position - b.position);
    return {
      batch,
      positions: positions.positionsOf(inOrder.map(({ position }) => position)),
      objectKeys: inOrder.map(({ key }) => key),
    };
  });
}
