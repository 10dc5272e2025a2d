/** A copy of `value` with another value at the path; what is missing on the way is made. */
export function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, i) => (String(i) === name ? replaced(item, rest, by) : (item as unknown)));
  const members = (value ?? {}) as Record<string, unknown>;
  return { ...members, [name]: replaced(members[name], rest, by) };
}
