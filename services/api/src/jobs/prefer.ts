/**
 * Whether `Prefer` (RFC 7240) asks to be refused rather than be done as well as can be: `handling=strict`. What else it
 * prefers is ignored, as is a second preference of the same name.
 */
export function prefersStrict(header: string | undefined): boolean {
  const preferences = (header ?? '')
    .split(',')
    .map((one) => /^\s*([\w-]+)\s*(?:=\s*"?([\w-]*)"?)?\s*(?:;.*)?$/.exec(one));
  const [, , handling] = preferences.find((found) => found?.[1]?.toLowerCase() === 'handling') ?? [];
  return handling?.toLowerCase() === 'strict';
}
