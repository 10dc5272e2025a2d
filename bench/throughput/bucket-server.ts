import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A bucket that keeps keys in memory, in a process of its own: `node bucket-server.js <delay in ms>`. It speaks as much of
 * S3 as a deletion needs, path style, believes every signature, and answers each call after the delay, as one that is
 * far away does; calls do not wait for each other. `POST /?fill` takes keys, one a line; `GET /?count&prefix=` tells how
 * many there are. Tells its port by IPC, and ends with its parent.
 */
const delayMs = Number(process.argv[2] ?? 0);
const keys = new Set<string>();
const PAGE = 1000;

const xml = (name: string, content = '') => `<?xml version="1.0" encoding="UTF-8"?><${name}>${content}</${name}>`;

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Keys of the benchmark have nothing in them that XML would escape. Names every key, also if asked to be quiet, as R2 does. */
function remove(body: string): string {
  const asked = Array.from(body.matchAll(/<Key>([^<]*)<\/Key>/g), ([, key = '']) => key);
  for (const key of asked) keys.delete(key);
  return xml('DeleteResult', asked.map((key) => `<Deleted><Key>${key}</Key></Deleted>`).join(''));
}

const under = (prefix: string): string[] => [...keys].filter((key) => key.startsWith(prefix));

function list(asked: URLSearchParams): string {
  const after = asked.get('continuation-token') ?? asked.get('start-after') ?? '';
  const most = Math.min(Number(asked.get('max-keys') ?? PAGE), PAGE);
  const found = under(asked.get('prefix') ?? '')
    .filter((key) => key > after)
    .sort();
  const page = found.slice(0, most);
  const contents = page.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('');
  const isWhole = page.length === found.length;
  const next = isWhole ? '' : `<NextContinuationToken>${page.at(-1) ?? ''}</NextContinuationToken>`;
  const head = `<KeyCount>${page.length}</KeyCount><IsTruncated>${!isWhole}</IsTruncated>${next}`;
  return xml('ListBucketResult', head + contents);
}

interface Answer {
  status: number;
  body?: string;
}

async function answerTo(request: IncomingMessage): Promise<Answer> {
  const { method } = request;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://bucket');
  const [, , ...rest] = pathname.split('/');
  const key = decodeURIComponent(rest.join('/'));
  const body = await textOf(request);
  if (searchParams.has('fill')) {
    for (const line of body.split('\n')) if (line !== '') keys.add(line);
    return { status: 204 };
  }
  if (searchParams.has('count')) return { status: 200, body: String(under(searchParams.get('prefix') ?? '').length) };
  if (delayMs > 0) await delay(delayMs);
  if (method === 'POST' && searchParams.has('delete')) return { status: 200, body: remove(body) };
  if (method === 'DELETE') {
    keys.delete(key);
    return { status: 204 };
  }
  if (searchParams.has('versioning')) return { status: 200, body: xml('VersioningConfiguration') };
  if (method === 'GET' && key === '') return { status: 200, body: list(searchParams) };
  if (method !== 'GET' && method !== 'HEAD') return { status: 501, body: error('NotImplemented') };
  if (keys.has(key)) return { status: 200 };
  return { status: 404, ...(method === 'GET' && { body: error('NoSuchKey') }) };
}

const error = (code: string): string => xml('Error', `<Code>${code}</Code><Message>${code}</Message>`);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body = '' } = await answerTo(request);
  const headers = { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, headers).end(body);
}

const server = createServer((request, response) => void answer(request, response));
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
