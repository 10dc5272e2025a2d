import { type IndexKeys, requiredIndexes, type ResourceDefinition } from '@expunge/contracts';

interface ExistingIndex {
  key: Record<string, unknown>;
  partialFilterExpression?: unknown;
  hidden?: boolean;
  sparse?: boolean;
  collation?: { locale?: string };
}

/** Indexes the deleter's reads need and the collection lacks. A longer index that begins with the same fields will do. */
export function missingOf(resource: ResourceDefinition, existing: readonly object[]): IndexKeys[] {
  const usable = (existing as ExistingIndex[]).filter(
    (index) => !index.partialFilterExpression && !index.hidden && !index.sparse && isSimple(index.collation),
  );
  return requiredIndexes(resource).filter((required) => !usable.some((index) => beginsWith(index.key, required)));
}

// Some servers report the default collation, others leave it out.
const isSimple = (collation: ExistingIndex['collation']): boolean => (collation?.locale ?? 'simple') === 'simple';

function beginsWith(index: Record<string, unknown>, required: IndexKeys): boolean {
  const fields = Object.entries(index);
  return Object.keys(required).every((field, i) => {
    const [name, direction] = fields[i] ?? [];
    return name === field && (direction === 1 || direction === -1);
  });
}

/** What a person runs in mongosh; Expunge itself creates nothing in the records' database. */
export function createCommand(resource: ResourceDefinition, keys: IndexKeys): string {
  return `db.getCollection(${JSON.stringify(resource.collection)}).createIndex(${JSON.stringify(keys)})`;
}
