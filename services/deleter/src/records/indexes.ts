import { type IndexKeys, requiredIndexes, type ResourceDefinition } from '@expunge/contracts';

interface ExistingIndex {
  name: string;
  key: Record<string, unknown>;
  partialFilterExpression?: unknown;
  hidden?: boolean;
  sparse?: boolean;
  collation?: { locale?: string };
}

const usable = (existing: readonly object[]): ExistingIndex[] =>
  (existing as ExistingIndex[]).filter(
    (index) => !index.partialFilterExpression && !index.hidden && !index.sparse && isSimple(index.collation),
  );

/** Indexes the deleter's reads need and the collection lacks. A longer index that begins with the same fields will do. */
export function missingOf(resource: ResourceDefinition, existing: readonly object[]): IndexKeys[] {
  const indexes = usable(existing);
  return requiredIndexes(resource).filter((required) => !indexes.some((index) => beginsWith(index.key, required)));
}

/** The name of the index that serves pages, or null. */
export function pageIndexOf(resource: ResourceDefinition, existing: readonly object[]): string | null {
  const [required] = requiredIndexes(resource);
  const index = required && usable(existing).find((candidate) => beginsWith(candidate.key, required));
  return index?.name ?? null;
}

// Some servers report the default collation, others leave it out.
const isSimple = (collation: ExistingIndex['collation']): boolean => (collation?.locale ?? 'simple') === 'simple';

function beginsWith(index: Record<string, unknown>, required: IndexKeys): boolean {
  const fields = Object.entries(index);
  return Object.keys(required).every((field, i) => {
    const [name, direction] = fields[i] ?? [];
    // Directions may be of any number type; int64 arrives as bigint.
    return name === field && Math.abs(Number(direction)) === 1;
  });
}

/** What a person runs in mongosh; Expunge itself creates nothing in the records' database. */
export function createCommand(resource: ResourceDefinition, keys: IndexKeys): string {
  // Written out, since an index takes the collation of its collection otherwise, and these reads compare exactly.
  const options = '{"collation":{"locale":"simple"}}';
  return `db.getCollection(${JSON.stringify(resource.collection)}).createIndex(${JSON.stringify(keys)}, ${options})`;
}
