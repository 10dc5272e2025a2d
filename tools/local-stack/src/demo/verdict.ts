import { count } from '@expunge/cli';

/** The last line of `npm run demo -- --json`. */
export interface Outcome {
  readonly records: number;
  readonly objects: number;
  /** As the API reports it. */
  readonly deleted: number;
  readonly purged: number;
  /** As database and bucket themselves say. */
  readonly remaining_records: number;
  readonly remaining_objects: number;
  readonly other_tenant_intact: boolean;
  readonly seconds: number;
}

/** Everything that is not as it has to be; empty means the demo has succeeded. */
export function shortcomings(status: string, outcome: Outcome): string[] {
  const { records, objects, deleted, purged, remaining_records, remaining_objects } = outcome;
  return [
    status === 'completed' ? '' : `the job ended as ${status}, not completed`,
    remaining_records === 0 ? '' : `the database still has ${count(remaining_records, 'record')} of the tenant`,
    remaining_objects === 0 ? '' : `the bucket still has ${count(remaining_objects, 'object')} of the tenant`,
    outcome.other_tenant_intact ? '' : 'the other tenant has lost something',
    deleted === records ? '' : `the API reports ${deleted} deleted records, there were ${records}`,
    purged === objects ? '' : `the API reports ${purged} purged objects, there were ${objects}`,
  ].filter(Boolean);
}
