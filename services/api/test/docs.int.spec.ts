import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type RunningApi, startApi } from './running-api.js';

jest.setTimeout(60_000);

describe('the page of the API', () => {
  let api: RunningApi;
  let page: Response;
  let named: string[];
  beforeAll(async () => {
    // It needs nobody.
    api = await startApi({ RABBITMQ_URL: 'amqp://127.0.0.1:9', MONGODB_URL: 'mongodb://127.0.0.1:9' });
    page = await fetch(`${api.url}/api/docs`);
    const html = await page.text();
    named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '');
  });
  afterAll(() => api.stop());

  const get = async (address: string) => {
    const response = await fetch(new URL(address, `${api.url}/api/docs`));
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };

  test('is had without a token, and may load nothing from elsewhere', () => {
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = page.headers.get('content-security-policy')?.split('; ') ?? [];
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'"]));
    expect(policy.filter((directive) => /https?:|\*/.test(directive))).toEqual([]);
  });

  test('has all that it names, each of its kind', async () => {
    const kinds: Record<string, RegExp> = { js: /^text\/javascript/, css: /^text\/css/, png: /^image\/png/ };
    expect(named.map((address) => address.split('.').at(-1))).toEqual(['png', 'css', 'js', 'js']);
    for (const address of named) {
      const { status, type, text } = await get(address);
      expect([address, status]).toEqual([address, 200]);
      expect(type).toMatch(kinds[address.split('.').at(-1) ?? ''] ?? /^$/);
      expect(text.length).toBeGreaterThan(0);
    }
  });

  test('shows the OpenAPI document', async () => {
    const script = await get(named.at(-1) ?? '');
    const document = /url: '([^']+)'/.exec(script.text)?.[1] ?? '';
    const { status, type, text } = await get(document);
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8']);
    expect(JSON.parse(text)).toMatchObject({ openapi: '3.1.1', info: { title: 'Expunge' } });
  });
});
