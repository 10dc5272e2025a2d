import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Envelope,
  type Message,
  type MessageDefinition,
  messageDefinitions,
  parseMessage,
  receipts,
  ResourceDefinition,
} from '@expunge/contracts';
import { z } from 'zod';
import { exampleless, type Schema } from './schema-coverage.js';
import { replaced } from './replaced.js';

/** What these files are and which of them may change: golden/README.md. */
const folder = join(import.meta.dirname, '../golden');
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const json = (file: string): unknown => JSON.parse(read(file));
const written = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const goldenName = /^(?<type>[A-Z][A-Za-z]*)\.v(?<version>\d+)(\.(?<variant>[a-z-]+))?\.json$/;
const files = readdirSync(folder).flatMap((file) => {
  const groups = goldenName.exec(file)?.groups;
  return groups
    ? [{ file, type: groups['type'] ?? '', version: Number(groups['version']), variant: groups['variant'] }]
    : [];
});
const filesOf = ({ type, version }: { type: string; version: number }) =>
  files.filter((golden) => golden.type === type && golden.version === version);
/** By type and version, the values that a path in the data of the full example may take instead. */
const values = json('values.json') as Record<string, Record<string, unknown[]> | undefined>;

const cases = files.map((golden) => [golden.file, golden] as const);
const definitions = messageDefinitions.map(
  (definition) => [`${definition.type}.v${definition.version}`, definition] as const,
);

/** What reading adds to an older or shorter message. A line here is a promise to it. */
const actor = { reason: null };
const filledIn: Record<string, Record<string, unknown>> = {
  'DeleteRequested.v1.minimal.json': { reason: null, 'options.batchSize': 500 },
  'DeleteRequested.v2.minimal.json': { reason: null, 'options.batchSize': 500 },
  'PauseRequested.v1.minimal.json': actor,
  'ResumeRequested.v1.minimal.json': actor,
  'CancelRequested.v1.minimal.json': actor,
  'RetryRequested.v1.minimal.json': actor,
  'RateChangeRequested.v1.minimal.json': actor,
  'ConfirmRequested.v1.minimal.json': actor,
  'DeletionStarted.v1.minimal.json': { 'request.reason': null, 'request.options.batchSize': 500 },
};

function parsed(body: string): Message {
  const result = parseMessage(body);
  if (!result.ok) throw new Error(result.reason);
  return result.message;
}

/** The message with another value at one path of its data. */
const withData = (message: Message, path: string, value: unknown): Message => ({
  ...message,
  data: replaced(message.data, path.split('.'), value),
});

describe('the golden files', () => {
  test('are one complete example of each message, and of nothing else', () => {
    const complete = files.filter(({ variant }) => variant === undefined).map(({ file }) => file);
    expect(complete.sort()).toEqual(definitions.map(([name]) => `${name}.json`).sort());
    expect(files.filter((golden) => filesOf(golden).every(({ variant }) => variant !== undefined))).toEqual([]);
  });

  test('are all of the folder', () => {
    const others = readdirSync(folder).filter((file) => !goldenName.test(file));
    expect(others.sort()).toEqual([
      'README.md',
      'resource.bucket.json',
      'resource.delete-markers.json',
      'resource.json',
      'resource.minimal.json',
      'values.json',
    ]);
    const named = definitions.map(([name]) => name as string);
    expect(Object.keys(values).filter((name) => !named.includes(name))).toEqual([]);
  });

  test.each(cases)('%s is read with nothing lost, and nothing added but what is promised', (file) => {
    const golden = json(file) as Message;
    const expected = Object.entries(filledIn[file] ?? {}).reduce(
      (m, [path, value]) => withData(m, path, value),
      golden,
    );
    expect(parsed(read(file))).toStrictEqual(expected);
  });

  test.each(cases.filter(([file]) => !(file in filledIn)))(
    '%s is written again with the same bytes',
    (file, golden) => {
      const message = parsed(read(file));
      expect(written(message)).toBe(read(file));
      const definition = messageDefinitions.find(
        ({ type, version }) => type === golden.type && version === golden.version,
      ) as MessageDefinition | undefined;
      expect(written(definition?.create(message))).toBe(read(file));
    },
  );

  test.each(
    Object.entries(values).flatMap(([name, paths]) =>
      Object.entries(paths ?? {}).flatMap(([path, all]) => all.map((value) => [name, path, value] as const)),
    ),
  )('%s is read with %s = %j', (name, path, value) => {
    const message = withData(json(`${name}.json`) as Message, path, value);
    expect(parsed(JSON.stringify(message))).toStrictEqual(message);
  });
});

describe('the golden files leave nothing of a schema without an example', () => {
  test.each(definitions)('%s', (name, definition) => {
    const data = filesOf(definition).map(({ file }) => (json(file) as Message).data);
    const others = Object.entries(values[name] ?? {}).flatMap(([path, all]) =>
      all.map((value) => replaced((json(`${name}.json`) as Message).data, path.split('.'), value)),
    );
    const { properties } = z.toJSONSchema(definition.schema, { io: 'input' });
    expect(exampleless(properties?.['data'] as Schema, [...data, ...others])).toEqual([]);
  });

  test('the envelope', () => {
    expect(
      exampleless(
        z.toJSONSchema(Envelope, { io: 'input' }),
        files.map(({ file }) => json(file)),
      ),
    ).toEqual([]);
  });
});

describe('a resource definition', () => {
  test.each(['resource.json', 'resource.bucket.json'])('%s is read with nothing lost or added', (file) => {
    const golden = json(file);
    expect(ResourceDefinition.parse(golden)).toStrictEqual(golden);
    expect(written(ResourceDefinition.parse(golden))).toBe(read(file));
  });

  test('may say that delete markers are meant', () => {
    const golden = json('resource.delete-markers.json');
    expect(ResourceDefinition.parse(golden)).toStrictEqual(golden);
    expect(written(ResourceDefinition.parse(golden))).toBe(read('resource.delete-markers.json'));
  });

  test('of the receipts is the golden one', () => {
    expect(receipts).toStrictEqual(json('resource.json'));
  });

  test('says by default that ids do not grow, nothing bounds by date, keys are used once, nothing is selected by field', () => {
    const golden = json('resource.minimal.json') as object;
    expect(ResourceDefinition.parse(golden)).toStrictEqual({
      ...golden,
      idsGrow: false,
      keysReused: false,
      filterFields: [],
    });
  });
});
