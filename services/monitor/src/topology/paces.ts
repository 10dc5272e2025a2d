import type { BrokerView } from './broker-view.js';

/** Since when, by this monitor's clock, a queue has had the same count of acknowledged messages, and what happened since. */
export interface Pace {
  acknowledged: number;
  /** When that count was first seen. */
  since: string;
  /** Redelivered when that count was first seen. */
  redeliveredBefore: number;
  redelivered: number;
  /** When it was last seen so. */
  seenAt: string;
  /** The looks of the last 20 s since which messages have been in hands, whatever was acknowledged; the last one included. */
  heldAt: readonly string[];
}

/** An answer that did not come, or without counts, says nothing of what was seen just before. */
const HOLDS_MS = 15_000;
const LOOKS_KEPT_MS = 20_000;

export type Paces = ReadonlyMap<string, Pace>;

/** A broker that counts anew, or was away for longer, tells nothing of before: the queue's pace begins anew. */
export function pacesAfter(before: Paces, { at, queues }: BrokerView): Paces {
  const holds = ({ seenAt }: Pace) => Date.parse(at) - Date.parse(seenAt) <= HOLDS_MS;
  const paces = new Map([...before].filter(([, pace]) => holds(pace)));
  const isRecent = (look: string) => Date.parse(at) - Date.parse(look) <= LOOKS_KEPT_MS;
  for (const { name, acknowledged, redelivered, unacknowledged } of queues ?? []) {
    if (acknowledged === null) continue;
    const known = paces.get(name);
    const total = redelivered ?? 0;
    const goesOn = known?.acknowledged === acknowledged && known.redelivered <= total;
    const before = goesOn ? known : { acknowledged, since: at, redeliveredBefore: total };
    const heldAt = unacknowledged > 0 ? [...(known?.heldAt ?? []).filter(isRecent), at] : [];
    paces.set(name, { ...before, redelivered: total, seenAt: at, heldAt });
  }
  return paces;
}
