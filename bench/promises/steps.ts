/**
 * What a loop does that deletes a tenant, each step all that the ones before it do. The last one is no loop any more: it
 * is Expunge itself, with purging, verdicts, projection and verification in services apart.
 *
 * floor       the fastest loop, which promises nothing
 * batches     pages and deletes of 1,000 records
 * journal     a delete waits for the journal
 * conditions  it asks again for tenant, bound, shape and keys
 * looks       what still stands, and who still refers to a key, is looked up after it
 * plan        the job's document is written before it, with what came of the one before
 * events      each batch's event is stored and published, confirmed, during the next delete
 */
export const steps = ['floor', 'batches', 'journal', 'conditions', 'looks', 'plan', 'events', 'expunge'] as const;
export type Step = (typeof steps)[number];

/** Whether a step does what another one is named by. */
export const does = (step: Step, what: Step): boolean => steps.indexOf(step) >= steps.indexOf(what);

/** Of Expunge, unless a request says otherwise. */
export const BATCH = 2000;
