import type { Heard } from '../support/system.js';

/**
 * What must hold of the monitor's ledger once a job is completed: it has heard the request, everything the deleter said,
 * nothing that the deleter did not say, each once, and once that the job is done.
 * @param said ids of the deleter's numbered events, as its event store has them
 */
export function ledgerViolations(heard: readonly Pick<Heard, 'id' | 'type' | 'sequence'>[], said: string[]): string[] {
  const numbered = heard.filter(({ sequence }) => sequence !== undefined).map(({ id }) => id);
  const wrong: string[] = [];
  if (numbered.toSorted().join() !== said.toSorted().join()) {
    wrong.push(`the ledger has the events ${numbered.join(' ')}, the event store ${said.join(' ')}`);
  }
  for (const type of ['DeleteRequested', 'JobCompleted']) {
    const times = heard.filter((message) => message.type === type).length;
    if (times !== 1) wrong.push(`the ledger has ${type} ${times} times`);
  }
  return wrong;
}
