import type { KeyPath } from './key-path.js';

export type Filter = Record<string, unknown>;

/**
 * A filter for records that hold no key beyond `keys` and have the declared shape: what `readKeys` could read, and
 * nothing else, said in operators that an id lookup evaluates at full speed (the same in `$expr` is ten times slower).
 */
export function holdsOnly(paths: readonly KeyPath[], keys: readonly string[]): Filter[] {
  return paths.flatMap((path) => (path.isList ? listHoldsOnly(path, keys) : fieldHoldsOnly(path.head, keys)));
}

// `$in` and `$type` look into a list, too, where the field holds one: a list must be refused by itself.
const notAList = (field: string): Filter => ({ [field]: { $not: { $type: 'array' } } });
const isNoKey = [null, ''];

/** No list at a dotted field, nor on the way to it. */
export const isNoList = (field: string): Filter[] => [...embeddings(field), notAList(field)];

function fieldHoldsOnly(field: string, keys: readonly string[]): Filter[] {
  return [...embeddings(field), notAList(field), { [field]: { $in: [...isNoKey, ...keys] } }];
}

function listHoldsOnly(path: KeyPath, keys: readonly string[]): Filter[] {
  const { head, tail } = path;
  const shape = { $or: [{ [head]: { $type: 'array' } }, { [head]: null }] };
  const none = (offending: Filter): Filter => ({ [head]: { $not: { $elemMatch: offending } } });
  const ofElements =
    tail === null
      ? [none({ $nin: [...isNoKey, ...keys] }), none({ $type: 'array' })]
      : [
          none({ $not: { $type: ['object', 'null'] } }),
          ...embeddings(tail).map((wanted) => none({ $nor: [wanted] })),
          none({ [tail]: { $type: 'array' } }),
          none({ [tail]: { $nin: [...isNoKey, ...keys] } }),
        ];
  return [...embeddings(head), shape, ...ofElements];
}

/** Each field on the way to a dotted one is an embedded document, or not there. */
function embeddings(dottedPath: string): Filter[] {
  const fields = dottedPath.split('.');
  return fields.slice(0, -1).map((_, i) => {
    const field = fields.slice(0, i + 1).join('.');
    return { $and: [notAList(field), { $or: [{ [field]: { $type: 'object' } }, { [field]: null }] }] };
  });
}
