export interface Difference {
  /** As `batches.blocks.3.resolved`; '' for the document itself. */
  path: string;
  /** Of the two values, as JSON, shortened; `nothing` for one that is not there. */
  stored: string;
  told: string;
}

const SHOWN = 60;

/** The first field, in the order in which it is told, in which two documents differ; null: they are the same, byte for byte. */
export function firstDifference(stored: unknown, told: unknown, path = ''): Difference | null {
  if (!isNested(stored) || !isNested(told) || Array.isArray(stored) !== Array.isArray(told)) {
    return isSame(stored, told) ? null : { path, stored: shown(stored), told: shown(told) };
  }
  const [names, toldNames] = [Object.keys(stored), Object.keys(told)];
  for (const name of new Set([...toldNames, ...names])) {
    const at = path === '' ? name : `${path}.${name}`;
    const found = firstDifference(stored[name], told[name], at);
    if (found) return found;
  }
  const moved = toldNames.find((name, i) => names[i] !== name);
  return moved === undefined ? null : { path, stored: `order ${shown(names)}`, told: `order ${shown(toldNames)}` };
}

type Nested = Record<string, unknown>;

function isNested(value: unknown): value is Nested {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/** Dates and what else JSON has no form of stand in no projection, so that any other object is another value. */
const isSame = (a: unknown, b: unknown): boolean => typeof a === typeof b && shownWhole(a) === shownWhole(b);

function shownWhole(value: unknown): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member));
}

function shown(value: unknown): string {
  const text = shownWhole(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}
