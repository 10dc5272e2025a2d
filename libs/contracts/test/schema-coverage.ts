import type { z } from 'zod';

export type Schema = z.core.JSONSchema.BaseSchema;
type Members = Record<string, unknown>;

/**
 * What of a JSON Schema none of the examples shows, by path: a member, an optional member left out, a branch of a
 * union, a type, a value of an enumeration. What has no example could be taken away unnoticed.
 */
export function exampleless(schema: Schema, examples: readonly unknown[], path = ''): string[] {
  if (examples.length === 0) return [`${path}: never there`];
  const missing: string[] = [];
  for (const branch of branches(schema)) {
    const fitting = examples.filter((example) => fits(branch, example));
    missing.push(...exampleless(branch, fitting, `${path}|${branch.type as string}`));
  }
  for (const value of schema.enum ?? []) {
    if (!examples.includes(value)) missing.push(`${path}: never ${JSON.stringify(value)}`);
  }
  const objects = examples.filter((example): example is Members => typeOf(example) === 'object');
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const having = objects.filter((example) => name in example);
    if (schema.required?.includes(name) !== true && having.length === objects.length) {
      missing.push(`${path}.${name}: never left out`);
    }
    const values = having.map((example) => example[name]);
    missing.push(...exampleless(member as Schema, values, `${path}.${name}`));
  }
  if (isSchema(schema.additionalProperties)) {
    missing.push(...exampleless(schema.additionalProperties, objects.flatMap(Object.values), `${path}.*`));
  }
  const lists = examples.filter((example): example is unknown[] => Array.isArray(example));
  if (isSchema(schema.items)) missing.push(...exampleless(schema.items, lists.flat(), `${path}[]`));
  for (const [i, item] of (schema.prefixItems ?? []).entries()) {
    missing.push(
      ...exampleless(
        item as Schema,
        lists.map((list) => list[i]),
        `${path}[${i}]`,
      ),
    );
  }
  return missing;
}

/** `anyOf`, and `type: [a, b]`, which is the same said shorter. */
function branches(schema: Schema): Schema[] {
  if (schema.anyOf) return schema.anyOf;
  const types: unknown = schema.type;
  return Array.isArray(types) ? types.map((type: Schema['type']) => ({ type })) : [];
}

function fits(schema: Schema, example: unknown): boolean {
  const parts = branches(schema);
  if (parts.length > 0) return parts.some((part) => fits(part, example));
  const type = schema.type === 'integer' ? 'number' : schema.type;
  if (type !== undefined && typeOf(example) !== type) return false;
  if (type !== 'object') return true;
  const closed = schema.additionalProperties === false;
  const names = Object.keys(example as Members);
  return (
    (schema.required ?? []).every((name) => names.includes(name)) &&
    (!closed || names.every((name) => name in (schema.properties ?? {})))
  );
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;
