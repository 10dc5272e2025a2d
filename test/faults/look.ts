import type { System } from '../support/system.js';
import type { Found, StoredEvent } from './oracle.js';

/** What the stores and the API tell of a job and its tenant, for the oracle. */
export async function look(system: System, { id, job }: { id: string; job: string }): Promise<Found> {
  return {
    records: await system.receipts.find({ tenantId: id }).toArray(),
    objects: await system.keys(`tenants/${id}/`),
    events: (await system.eventsOf(job)) as unknown as StoredEvent[],
    shown: await system.job(id, job),
  };
}
