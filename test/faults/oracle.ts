import { idsOf, keysOf, type System } from '../support/system.js';
import type { Tenant } from './application.js';

const without = (all: readonly string[], some: readonly string[]): string[] => {
  const known = new Set(some);
  return all.filter((text) => !known.has(text));
};

/**
 * What must hold of a job that is done, by what the stores hold and what the API says: nothing of the selection left,
 * nothing else gone, no file without a record and no record without its file, counts exact, each event once.
 */
export async function violationsOf(system: System, tenant: Tenant): Promise<string[]> {
  const { id, job, planned, inserted } = tenant;
  const shown = await system.job(id, job);
  const { ids, keys } = await system.left(id);
  const referred = keysOf(await system.receipts.find({ tenantId: id }).toArray());
  const mine = new Set(idsOf([...planned]));
  const wrong: [string, readonly string[]][] = [
    ['records left', ids.filter((left) => mine.has(left))],
    ['records of others gone', without(idsOf(inserted), ids)],
    ['orphaned objects', without(keys, referred)],
    ['objects gone that a record refers to', without(referred, keys)],
  ];
  const found = wrong.filter(([, which]) => which.length > 0);
  const said = found.map(([what, which]) => `${what}: ${which.length}, such as ${which[0]}`);
  if (shown?.status !== 'completed') said.push(`status is ${shown?.status}: ${JSON.stringify(shown)}`);
  if (shown?.progress.succeeded !== planned.length) {
    said.push(`succeeded is ${shown?.progress.succeeded} of ${planned.length}`);
  }
  said.push(...(await eventViolations(system, job, planned.length)));
  return said.map((what) => `job ${job}: ${what}`);
}

interface StoredEvent {
  job: string;
  sequence: number | null;
  batch: number | null;
  message: { type: string; data: { count?: number; objectKeys?: string[]; requestId?: string } };
}

async function eventViolations(system: System, job: string, records: number): Promise<string[]> {
  const events = (await system.eventsOf(job)) as unknown as StoredEvent[];
  const numbered = events.filter(({ sequence }) => sequence !== null);
  const said: string[] = [];
  if (numbered.some(({ sequence }, i) => sequence !== i + 1)) said.push('sequences have a gap or come twice');
  const batches = numbered.filter(({ message }) => message.type === 'BatchDeleted');
  if (batches.some(({ batch }, i) => batch !== i + 1)) said.push('batches have a gap or come twice');
  const counted = batches.reduce((sum, { message }) => sum + (message.data.count ?? 0), 0);
  if (counted !== records) said.push(`events count ${counted} records of ${records}`);
  const keys = batches.flatMap(({ message }) => message.data.objectKeys ?? []);
  if (new Set(keys).size !== keys.length) said.push('a key was handed over twice');
  const answers = events.map(({ message }) => message.data.requestId).filter((request) => request !== undefined);
  if (new Set(answers).size !== answers.length) said.push(`a request was answered twice: ${answers.sort().join(' ')}`);
  return said;
}
