import { type Positions, positions } from '@expunge/contracts';
import { type Again, keptIn, promisedIn, roundOf, stillFailed, withPromise } from './again.js';
import { type PositionSet, read, written } from './position-set.js';

/**
 * The batches of a job by blocks of a hundred: 1-100 is block 0. Many batches may be open at once, since a failed
 * object keeps its batch open for ever, so that a block says the same of many batches once, and a batch of which all
 * is known says only which objects failed. What stands here is a function of the batches' states alone.
 */
export interface Batches {
  /** Blocks of which every batch is resolved: each of its objects is gone. */
  resolved: Positions;
  blocks: Record<string, Block>;
}

interface Block {
  resolved: PositionSet;
  /** By batch numbers, in their order: the state that these have in common. */
  open: Record<PositionSet, StoredBatch>;
}

/**
 * One that no retry asked for, of which `keys` is known and `deletedAt` is not there, is accounted for: no key is
 * pending. Unless `purged` says otherwise, every key of it that did not fail is purged.
 */
interface StoredBatch {
  keys?: number;
  deletedAt?: number;
  retryAt?: number;
  purged?: PositionSet;
  failed?: PositionSet;
  again?: Again;
}

/** Times are in seconds since 1970, rounded up: batches of one second are stored as one. */
export interface OpenBatch {
  /** How many keys it has; null until BatchDeleted was heard. */
  keys: number | null;
  /** Since when its objects are to be purged: when it was deleted, or last asked for again. */
  deletedAt: number | null;
  /** The latest time the storage-cleaner promised to try again. */
  retryAt: number | null;
  purged: Positions;
  /** Under no retry, and without those purged after all. */
  failed: Positions;
  again?: Again;
}

export const noBatches: Batches = { resolved: [], blocks: {} };
const unheard: OpenBatch = { keys: null, deletedAt: null, retryAt: null, purged: [], failed: [] };

const SIZE = 100;
const blockOf = (number: number) => Math.floor((number - 1) / SIZE);
const numbersOf = ([from, to]: Positions[number]): Positions[number] => [from * SIZE + 1, (to + 1) * SIZE];

/** Null: it is resolved. One never heard of is open. */
export function batchOf({ resolved, blocks }: Batches, number: number): OpenBatch | null {
  if (positions.has(resolved, blockOf(number))) return null;
  const block = blocks[blockOf(number)];
  if (!block) return unheard;
  if (positions.has(read(block.resolved), number)) return null;
  const found = Object.entries(block.open).find(([numbers]) => positions.has(read(numbers), number));
  return found ? opened(found[1]) : unheard;
}

/** Null resolves it. */
export function withBatch(batches: Batches, number: number, batch: OpenBatch | null): Batches {
  const index = blockOf(number);
  const one: Positions = [[number, number]];
  const { resolved, open } = batches.blocks[index] ?? { resolved: '', open: {} };
  if (batch) {
    const block = { resolved, open: withState(open, one, stored(batch)) };
    return { ...batches, blocks: { ...batches.blocks, [index]: block } };
  }
  const done = positions.union(read(resolved), one);
  if (positions.count(done) < SIZE) {
    const block = { resolved: written(done), open: withState(open, one, null) };
    return { ...batches, blocks: { ...batches.blocks, [index]: block } };
  }
  const blocks = Object.fromEntries(Object.entries(batches.blocks).filter(([key]) => key !== String(index)));
  return { resolved: positions.union(batches.resolved, [[index, index]]), blocks };
}

function withState(open: Block['open'], one: Positions, state: StoredBatch | null): Block['open'] {
  const wanted = JSON.stringify(state);
  const groups = Object.entries(open).map(([text, known]) => {
    const rest = positions.difference(read(text), one);
    return { state: known, numbers: JSON.stringify(known) === wanted ? positions.union(rest, one) : rest };
  });
  const joined = groups.some(({ numbers }) => positions.has(numbers, one[0]?.[0] ?? 0));
  if (state && !joined) groups.push({ state, numbers: one });
  const kept = groups.filter(({ numbers }) => numbers.length > 0);
  kept.sort((a, b) => (a.numbers[0]?.[0] ?? 0) - (b.numbers[0]?.[0] ?? 0));
  return Object.fromEntries(kept.map(({ numbers, state }) => [written(numbers), state]));
}

/** Given up, and not asked for since. */
export const failedOf = ({ failed, again }: Pick<OpenBatch, 'failed' | 'again'>): Positions =>
  stillFailed(failed, again);

/** Keys neither purged, failed nor kept; null while it is not known how many there are. */
export function pendingKeys(batch: OpenBatch): number | null {
  const { keys, purged, again } = batch;
  if (keys === null) return null;
  const done = positions.count(purged) + positions.count(failedOf(batch)) + positions.count(keptIn(again));
  return Math.max(0, keys - done);
}

/**
 * A batch stays accounted for once it is: what it waited for no longer matters. With a retry it may have to be accounted
 * for again, so that then everything stays.
 */
function stored(batch: OpenBatch): StoredBatch {
  const { keys, deletedAt, retryAt, purged, failed } = batch;
  const round = roundOf(batch.again);
  const accounted = round === 0 && pendingKeys(batch) === 0;
  const implied = accounted ? unfailed(keys ?? 0, failedOf(batch)) : [];
  const promised = promisedIn(batch.again);
  const isPromised = retryAt !== null && promised >= round && !(accounted && promised === 0);
  const again = batch.again && (isPromised ? batch.again : withPromise(batch.again, 0));
  return {
    ...(keys === null ? {} : { keys }),
    ...(deletedAt === null || accounted ? {} : { deletedAt }),
    ...(isPromised ? { retryAt } : {}),
    ...(written(purged) === written(implied) ? {} : { purged: written(purged) }),
    ...(failed.length === 0 ? {} : { failed: written(failed) }),
    ...(again && { again }),
  };
}

function opened(batch: StoredBatch): OpenBatch {
  const { keys = null, deletedAt = null, retryAt = null, again } = batch;
  const failed = read(batch.failed ?? '');
  const implied = isImplied(batch) ? unfailed(keys ?? 0, stillFailed(failed, again)) : [];
  const purged = batch.purged === undefined ? implied : read(batch.purged);
  return { keys, deletedAt, retryAt, purged, failed, ...(again && { again }) };
}

const unfailed = (keys: number, failed: Positions): Positions =>
  keys === 0 ? [] : positions.difference([[0, keys - 1]], failed);

const isImplied = ({ keys, deletedAt, again }: StoredBatch) =>
  roundOf(again) === 0 && keys !== undefined && deletedAt === undefined;

const isAccountedFor = (batch: StoredBatch) =>
  isImplied(batch) || (roundOf(batch.again) > 0 && pendingKeys(opened(batch)) === 0);

export function resolvedBatches({ resolved, blocks }: Batches): Positions {
  return positions.union(resolved.map(numbersOf), ...Object.values(blocks).map((block) => read(block.resolved)));
}

/** Those open batches of which BatchDeleted was heard. */
export function handedOverBatches(batches: Batches): Positions {
  const open = Object.values(batches.blocks).flatMap((block) => Object.entries(block.open));
  return positions.union(...open.filter(([, { keys }]) => keys !== undefined).map(([numbers]) => read(numbers)));
}

/** Those that are open with a key that is neither purged nor failed, or not known to be there; by common state. */
export function* unaccountedBatches({ blocks }: Batches): Generator<[Positions, OpenBatch]> {
  for (const block of Object.values(blocks)) {
    for (const [numbers, state] of Object.entries(block.open)) {
      if (!isAccountedFor(state)) yield [read(numbers), opened(state)];
    }
  }
}
