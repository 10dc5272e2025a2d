import { idsOf, keysOf, type Receipt, type ShownJob } from '../support/system.js';
import { lastLifeOf, type Tenant } from './tenant.js';

/** What was found once a job was at its end: by the stores themselves, by its events, and by what the API says. */
export interface Found {
  /** Of the tenant. */
  readonly records: readonly Receipt[];
  readonly objects: readonly string[];
  /** By sequence. */
  readonly events: readonly StoredEvent[];
  readonly shown: ShownJob | null;
}

export interface StoredEvent {
  readonly sequence: number | null;
  readonly batch: number | null;
  readonly message: {
    readonly type: string;
    readonly data: { count?: number; objectKeys?: string[]; requestId?: string };
  };
}

/**
 * What must hold of a job that is done: nothing of the selection left (of a cancelled one, what is left is whole),
 * nothing else gone, no file without a record and no record without its file, nothing gone that no event tells of,
 * counts exact, each event once.
 */
export function violationsOf(tenant: Tenant, found: Found): string[] {
  const said = [...ofStores(tenant, found), ...ofCounts(tenant, found), ...ofEvents(found)];
  return said.map((what) => `job ${tenant.job}: ${what}`);
}

function ofStores(tenant: Tenant, found: Found): string[] {
  const { planned, inserted } = tenant;
  const standing = new Set(idsOf([...found.records]));
  const referred = new Set(keysOf([...found.records]));
  const handedOver = new Set(keysHandedOver(found));
  const lives = planned.flatMap((record) => record.lives.map((life) => ({ record, life })));
  const ofPlanned = new Set(lives.flatMap(({ life }) => life.keys));
  // The application put the file, and cannot know whether the record followed.
  const nobodys = new Set(lives.flatMap(({ life }) => (life.born === 'perhaps' ? life.keys : [])));
  const hasGone = ({ record, life }: (typeof lives)[number]) =>
    !(standing.has(record.id) && life === lastLifeOf(record));
  const untold = lives.filter(
    (one) => hasGone(one) && one.life.born === 'yes' && one.life.taken === 'no' && !handedOver.has(one.life.keys[0]),
  );
  const wrong: [string, readonly string[]][] = [
    ['records left', tenant.cancelled === 'no' ? planned.map(({ id }) => id).filter((id) => standing.has(id)) : []],
    ['records of others gone', idsOf(inserted).filter((id) => !standing.has(id))],
    ['records gone that no event tells of', untold.map(({ life }) => life.keys[0])],
    ['orphaned objects', found.objects.filter((key) => !referred.has(key) && !nobodys.has(key))],
    ['objects gone that a record refers to', without([...referred], found.objects)],
    ['objects handed over that a record refers to', [...handedOver].filter((key) => referred.has(key))],
    ['objects handed over that were not of the job', [...handedOver].filter((key) => !ofPlanned.has(key))],
  ];
  return wrong.flatMap(([what, which]) => (which.length > 0 ? [`${what}: ${which.length}, such as ${which[0]}`] : []));
}

function ofCounts({ planned, cancelled }: Tenant, found: Found): string[] {
  const { events, shown } = found;
  const handedOver = new Set(keysHandedOver(found));
  const counted = events.reduce((sum, { message }) => sum + (message.data.count ?? 0), 0);
  const lives = planned.flatMap((record) => record.lives.map((life) => ({ record, life })));
  const gone = lives.filter(({ life }) => handedOver.has(life.keys[0]));
  // A record inserted again before its batch was looked after stands: its files go, and it is counted with its next end.
  const unsure = gone.filter(({ record, life }) => life !== lastLifeOf(record)).length;
  const said: string[] = [];
  const statuses = { no: ['completed'], yes: ['cancelled'], perhaps: ['completed', 'cancelled'] }[cancelled];
  if (!statuses.includes(shown?.status ?? '')) said.push(`status is ${shown?.status}: ${JSON.stringify(shown)}`);
  if (counted > gone.length || counted < gone.length - unsure) {
    said.push(`events count ${counted} records, gone are ${gone.length - unsure} to ${gone.length}`);
  }
  if (shown?.progress.succeeded !== counted) said.push(`succeeded is ${shown?.progress.succeeded} of ${counted}`);
  if (shown?.progress.failed_count !== 0) said.push(`failed are ${shown?.progress.failed_count}`);
  const objects = { purged: handedOver.size, retained: 0, failed: 0, pending: 0 };
  for (const [name, expected] of Object.entries(objects)) {
    const is = shown?.progress.objects[name as keyof typeof objects];
    if (is !== expected) said.push(`objects ${name} are ${is} of ${expected}`);
  }
  return said;
}

function ofEvents({ events, shown }: Found): string[] {
  const numbered = events.filter(({ sequence }) => sequence !== null);
  const said: string[] = [];
  if (numbered.some(({ sequence }, i) => sequence !== i + 1)) said.push('sequences have a gap or come twice');
  const batches = numbered.filter(({ message }) => message.type === 'BatchDeleted');
  if (batches.some(({ batch }, i) => batch !== i + 1)) said.push('batches have a gap or come twice');
  const keys = keysHandedOver({ events });
  if (new Set(keys).size !== keys.length) said.push('a key was handed over twice');
  const answers = events.map(({ message }) => message.data.requestId).filter((request) => request !== undefined);
  if (new Set(answers).size !== answers.length) said.push(`a request was answered twice: ${answers.sort().join(' ')}`);
  const last = shown?.status === 'cancelled' ? 'DeletionCancelled' : 'DeletionFinished';
  // That somebody has looked what is left is no step of the deletion.
  const is = numbered.findLast(({ message }) => message.type !== 'RecordsVerified')?.message.type;
  if (is !== last) said.push(`the last event is ${is}, not ${last}`);
  return said;
}

const keysHandedOver = ({ events }: Pick<Found, 'events'>): string[] =>
  events.flatMap(({ message }) => message.data.objectKeys ?? []);

function without(all: readonly string[], some: readonly string[]): string[] {
  const known = new Set(some);
  return all.filter((text) => !known.has(text));
}
