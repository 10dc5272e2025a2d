/** A block of a page that is run, and the answer that stands below it, if one does. */
export interface Example {
  /** The nearest heading above. */
  heading: string;
  command: string;
  answer: string | null;
}

const MORE = '…';
/** Differ from one run to the next. */
const volatile = new Set([
  'position',
  'next',
  'lag_ms',
  'monitor_heartbeat_age_ms',
  'rate',
  'eta',
  'next_cursor',
  'host',
]);
const stands: [RegExp, string][] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>'],
  [/\b[0-9a-f]{24,64}\b/g, '<hex>'],
];

/** In the order of the page. */
export function examplesOf(text: string): Example[] {
  const found = text.matchAll(/^#{1,6} (.*)$|^```(sh|json)\n([^]*?)^```$/gm);
  const examples: Example[] = [];
  let heading = '';
  for (const [, title, language, code = ''] of found) {
    const last = examples.at(-1);
    if (title !== undefined) heading = title;
    else if (language === 'sh') examples.push({ heading, command: code, answer: null });
    else if (last?.answer === null) last.answer = code;
  }
  return examples;
}

/** The JSON in what curl printed, headers or not; null: there is none. */
export function bodyIn(output: string): unknown {
  const at = output.search(/^[{[]/m);
  return at < 0 ? null : (JSON.parse(output.slice(at)) as unknown);
}

/** Where an answer is not what the page shows, by paths; `…` at a list's end stands for more of the same. */
export function differences(shown: unknown, got: unknown, path = ''): string[] {
  if (Array.isArray(shown)) {
    if (!Array.isArray(got)) return [`${path} is no list`];
    const isOpen = shown.at(-1) === MORE;
    const elements = isOpen ? shown.slice(0, -1) : shown;
    if (isOpen ? got.length <= elements.length : got.length !== elements.length)
      return [`${path} has ${got.length} elements`];
    return elements.flatMap((element, i) => differences(element, got[i], `${path}/${i}`));
  }
  if (typeof shown === 'object' && shown !== null) {
    if (typeof got !== 'object' || got === null) return [`${path} is no object`];
    const [one, other] = [Object.keys(shown), Object.keys(got)].map((keys) => keys.toSorted().join());
    if (one !== other) return [`${path} has ${other}, not ${one}`];
    return Object.entries(shown).flatMap(([key, value]) =>
      volatile.has(key) ? [] : differences(value, (got as Record<string, unknown>)[key], `${path}/${key}`),
    );
  }
  return settled(shown) === settled(got) ? [] : [`${path} is ${JSON.stringify(got)}, not ${JSON.stringify(shown)}`];
}

const settled = (value: unknown): unknown =>
  typeof value === 'string' ? stands.reduce((text, [what, name]) => text.replaceAll(what, name), value) : value;

/** As a page shows it: of a long list the first. */
export function shortened(value: unknown): unknown {
  if (Array.isArray(value)) {
    const kept = value.length > 2 ? [value[0], MORE] : value;
    return kept.map(shortened);
  }
  if (typeof value !== 'object' || value === null) return value;
  const shown = (key: string, inner: unknown) => (key === 'host' && inner !== null ? 'host-1' : shortened(inner));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(key, inner)]));
}
