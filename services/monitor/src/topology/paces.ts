import type { BrokerView } from './broker-view.js';

/** Since when, by this monitor's clock, a queue has had the same count of acknowledged messages, and what happened since. */
export interface Pace {
  acknowledged: number;
  /** When that count was first seen. */
  since: string;
  /** Redelivered when that count was first seen. */
  redeliveredBefore: number;
  redelivered: number;
}

export type Paces = ReadonlyMap<string, Pace>;

/** A broker that does not count, or was away, tells nothing: the queue's pace begins anew. */
export function pacesAfter(before: Paces, { at, queues }: BrokerView): Paces {
  const paces = new Map<string, Pace>();
  for (const { name, acknowledged, redelivered } of queues ?? []) {
    if (acknowledged === null) continue;
    const known = before.get(name);
    const total = redelivered ?? 0;
    paces.set(
      name,
      known?.acknowledged === acknowledged
        ? { ...known, redelivered: total }
        : { acknowledged, since: at, redeliveredBefore: total, redelivered: total },
    );
  }
  return paces;
}
