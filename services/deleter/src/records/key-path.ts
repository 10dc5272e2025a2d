/**
 * A path to object keys in a record: fields, then at most one list, then fields of its elements.
 * `attachments[].key` → head `attachments`, list, tail `key`; `files[]` → no tail; `previewKey` → no list.
 */
export interface KeyPath {
  text: string;
  head: string;
  isList: boolean;
  tail: string | null;
}

export function parseKeyPath(text: string): KeyPath {
  const [head = text, rest] = text.split('[]');
  if (rest === undefined) return { text, head, isList: false, tail: null };
  return { text, head, isList: true, tail: rest === '' ? null : rest.slice(1) };
}

/** The path as an index and a query name it. */
export const dotted = (path: KeyPath): string => (path.tail === null ? path.head : `${path.head}.${path.tail}`);

type Read = { readable: true; keys: string[] } | { readable: false; path: string };

/** Every key a record holds, each once. Null, "" and nothing are no file; any other thing that is no text is unreadable. */
export function readKeys(record: Record<string, unknown>, paths: readonly KeyPath[]): Read {
  const keys = new Set<string>();
  for (const path of paths) {
    const found = keysAt(record, path);
    if (found === null) return { readable: false, path: path.text };
    for (const key of found) keys.add(key);
  }
  return { readable: true, keys: [...keys] };
}

const isEmpty = (value: unknown): boolean => value === null || value === undefined;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function keysAt(record: Record<string, unknown>, path: KeyPath): string[] | null {
  const at = fieldAt(record, path.head);
  if (at === null) return null;
  if (!path.isList) return keyOf(at.value);
  if (isEmpty(at.value)) return [];
  if (!Array.isArray(at.value)) return null;
  const keys: string[] = [];
  for (const element of at.value as unknown[]) {
    const found = path.tail === null ? keyOf(element) : keyInElement(element, path.tail);
    if (found === null) return null;
    keys.push(...found);
  }
  return keys;
}

function keyInElement(element: unknown, tail: string): string[] | null {
  if (isEmpty(element)) return [];
  if (!isObject(element)) return null;
  const at = fieldAt(element, tail);
  return at === null ? null : keyOf(at.value);
}

function keyOf(value: unknown): string[] | null {
  if (isEmpty(value) || value === '') return [];
  return typeof value === 'string' ? [value] : null;
}

/** The first field of a dotted path, `attachments` of `attachments.key`. */
export const rootOf = (dottedPath: string): string => dottedPath.split('.')[0] ?? dottedPath;

/** Follows fields through embedded documents; null where something on the way is neither that nor absent. */
export function fieldAt(record: Record<string, unknown>, dottedPath: string): { value: unknown } | null {
  let value: unknown = record;
  for (const field of dottedPath.split('.')) {
    if (isEmpty(value)) return { value: undefined };
    if (!isObject(value)) return null;
    value = value[field];
  }
  return { value };
}
