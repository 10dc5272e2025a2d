import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import specs from '@asyncapi/specs';
import { Envelope, messageDefinitions } from '@expunge/contracts';
import { VERSION } from '@expunge/runtime';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { ASYNCAPI_FILE, asyncApi, asyncApiText, senders } from './asyncapi.js';
import { root } from './markdown.js';

const written = readFileSync(join(root, ASYNCAPI_FILE), 'utf8');

describe('docs/asyncapi.json', () => {
  it('is what the contracts say: npm run asyncapi writes it', () => {
    expect(written).toBe(asyncApiText(VERSION));
  });

  it('is AsyncAPI 3, and refers to nothing that is not there', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
    addFormats.default(ajv);
    const isAsyncApi = ajv.compile(specs.schemas['3.0.0'] as object);
    const document: unknown = JSON.parse(written);
    isAsyncApi(document);
    expect(isAsyncApi.errors ?? []).toEqual([]);
    const references = [...written.matchAll(/"\$ref": "#(\/[^"]*)"/g)].map(([, to = '']) => to);
    const at = (pointer: string) =>
      pointer
        .split('/')
        .slice(1)
        .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], document);
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((to) => at(to) === undefined)).toEqual([]);
  });

  it('has somebody who takes each message, and who sends it', () => {
    const { operations } = asyncApi(VERSION) as { operations: Record<string, object> };
    const types = messageDefinitions.map(({ type }) => type as string);
    const named = (action: string) =>
      types.filter((type) => Object.keys(operations).some((one) => one.endsWith(`.${action}.${type}`)));
    expect(named('send')).toEqual(types);
    expect(named('receive')).toEqual(types);
  });

  it('names the senders that the examples of messages have', () => {
    const examples = globSync(join(root, 'libs/contracts/golden/*.v*.json')).map((file) =>
      Envelope.parse(JSON.parse(readFileSync(file, 'utf8'))),
    );
    const strangers = examples.filter(({ type, source }) => {
      const [, service = ''] = /^(?:urn:expunge:|\/)([\w-]+)/.exec(source) ?? [];
      return !(senders as Record<string, readonly string[]>)[type]?.includes(service);
    });
    expect(examples.length).toBeGreaterThan(30);
    expect(strangers.map(({ type, source }) => `${type} of ${source}`)).toEqual([]);
  });
});
