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
}

/** An answer that did not come, or without counts, says nothing of what was seen just before. */
const HOLDS_MS = 15_000;

export type Paces = ReadonlyMap<string, Pace>;

/** A broker that counts anew, or was away for longer, tells nothing of before: the queue's pace begins anew. */
export function pacesAfter(before: Paces, { at, queues }: BrokerView): Paces {
  const holds = ({ seenAt }: Pace) => Date.parse(at) - Date.parse(seenAt) <= HOLDS_MS;
  const paces = new Map([...before].filter(([, pace]) => holds(pace)));
  for (const { name, acknowledged, redelivered } of queues ?? []) {
    if (acknowledged === null) continue;
    const known = paces.get(name);
    const total = redelivered ?? 0;
    paces.set(
      name,
      known?.acknowledged === acknowledged && known.redelivered <= total
        ? { ...known, redelivered: total, seenAt: at }
        : { acknowledged, since: at, redeliveredBefore: total, redelivered: total, seenAt: at },
    );
  }
  return paces;
}
