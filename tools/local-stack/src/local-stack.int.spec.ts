import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type LocalStack, startLocalStack } from './local-stack.js';
import { databaseUrl } from './mongodb/database-url.js';
import { builtScript } from './paths.js';
import { identityOf } from './process/process-identity.js';
import { until } from './until.js';

jest.setTimeout(120_000);

describe('a local stack', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocalStack({ env: {} });
  });
  afterAll(() => stack.stop());

  it('keeps vhost and queue of a broker killed with SIGKILL, which comes back on the same port by itself', async () => {
    const vhost = await stack.createVhost('survivor');
    const queue = new URL('/api/queues/survivor/letters', stack.rabbitmq.managementUrl);
    await management(queue, 'PUT', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    const { pid } = stack.rabbitmq.server!;
    stack.rabbitmq.server!.kill('SIGKILL');
    await until('another broker', () => stack.rabbitmq.server!.pid !== pid, 10_000);
    await stack.rabbitmq.server!.restart();
    expect(await management(queue, 'GET')).toMatchObject({ name: 'letters', type: 'quorum' });
    expect(await accepts(new URL(vhost.url))).toBe(true);
    expect(identityOf(pid)).toBeNull();
  });

  it('keeps every acknowledged write of a database engine killed with SIGKILL, behind the same socket', async () => {
    const url = databaseUrl(stack.mongodb.url, 'survivors');
    const written = { w: 1, journal: true, useBigInt64: true } as const;
    const before = await MongoClient.connect(url, written);
    const letters = before.db().collection('letters');
    const numbers = Array.from({ length: 500 }, (_, at) => BigInt(at));
    for (const at of numbers) await letters.insertOne({ at });
    stack.mongodb.server!.kill('SIGKILL');
    await stack.mongodb.server!.restart();
    const read = await letters.find().sort({ at: 1 }).toArray();
    expect(read.map((letter) => letter['at'] as bigint)).toEqual(numbers);
    await before.close();
  });

  it('keeps every object of a bucket server killed with SIGKILL, on the same port', async () => {
    const { endpoint, region, bucket: Bucket, accessKeyId, secretAccessKey } = stack.s3;
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    await client.send(new PutObjectCommand({ Bucket, Key: 'letter', Body: 'still here' }));
    const { pid } = stack.s3.server!;
    stack.s3.server!.kill('SIGKILL');
    await stack.s3.server!.restart();
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'letter' }));
    expect(await Body!.transformToString()).toBe('still here');
    expect(stack.s3.server!.pid).not.toBe(pid);
    client.destroy();
  });

  it('starts the bucket server again when only its inner process is killed', async () => {
    const { pid } = stack.s3.server!;
    process.kill(pid, 'SIGKILL');
    await until('another bucket server', () => stack.s3.server!.pid !== pid, 10_000);
    await until('its port', () => accepts(new URL(stack.s3.endpoint)), 10_000);
  });

  it('answers nothing while frozen, and goes on when thawed', async () => {
    const ask = async (within: number) =>
      (await fetch(stack.s3.endpoint, { signal: AbortSignal.timeout(within) })).status;
    stack.s3.server!.freeze();
    await expect(ask(300)).rejects.toThrow('timeout');
    stack.s3.server!.thaw();
    expect(await ask(20_000)).toBe(400);
  });
});

describe('a local stack with the data of one that was kept', () => {
  const noBroker = { RABBITMQ_URL: 'amqp://nobody', RABBITMQ_MANAGEMENT_URL: 'http://nobody' };
  const folders: string[] = [];
  const open = new Set<() => Promise<void>>();
  const start = async (dataFrom?: string) => {
    const stack = await startLocalStack({ env: noBroker, ...(dataFrom !== undefined && { dataFrom }) });
    folders.push(stack.run.directory);
    const { endpoint, region, bucket: Bucket, accessKeyId, secretAccessKey } = stack.s3;
    const credentials = { accessKeyId, secretAccessKey };
    const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    const mongo = await MongoClient.connect(stack.mongodb.recordsUrl);
    const close = async (keep = false) => {
      open.delete(close);
      await mongo.close();
      s3.destroy();
      await stack.stop({ keep });
    };
    open.add(close);
    return { stack, Bucket, s3, letters: mongo.db().collection('letters'), close };
  };
  afterAll(async () => {
    for (const close of open) await close();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it('has its records and objects, and changes nothing of what it was copied from', async () => {
    const first = await start();
    await first.letters.insertOne({ to: 'somebody' });
    await first.s3.send(new PutObjectCommand({ Bucket: first.Bucket, Key: 'letter', Body: 'still here' }));
    await first.close(true);
    for (const turn of ['a copy', 'another']) {
      const copy = await start(first.stack.run.directory);
      const { Body } = await copy.s3.send(new GetObjectCommand({ Bucket: copy.Bucket, Key: 'letter' }));
      expect([turn, await Body!.transformToString()]).toEqual([turn, 'still here']);
      expect((await copy.letters.deleteMany({})).deletedCount).toBe(1);
      await copy.s3.send(new DeleteObjectCommand({ Bucket: copy.Bucket, Key: 'letter' }));
      await copy.close();
    }
  });
});

describe('a local stack whose parent is killed with SIGKILL', () => {
  it('leaves no process and no file behind', async () => {
    const script = `
      import { startLocalStack } from ${JSON.stringify(builtScript('index.js'))};
      const { run, rabbitmq, mongodb, s3 } = await startLocalStack({ env: {} });
      const pids = [rabbitmq, mongodb, s3].map(({ server }) => server.pid);
      console.log(JSON.stringify({ pids, folders: [run.directory, run.sockets], urls: [rabbitmq.url, rabbitmq.managementUrl, s3.endpoint] }));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const left = JSON.parse(line) as { pids: number[]; folders: string[]; urls: string[] };
    expect(left.pids.map(identityOf)).not.toContain(null);
    parent.kill('SIGKILL');
    await until('every process has ended', () => left.pids.every((pid) => identityOf(pid) === null), 5_000);
    await until('every folder is gone', () => !left.folders.some((folder) => existsSync(folder)), 5_000);
    // A killed process of many threads shows as a zombie a moment before its last thread lets go of the sockets.
    const listening = () => Promise.all(left.urls.map((url) => accepts(new URL(url))));
    await until('every port is closed', async () => !(await listening()).includes(true), 5_000);
  });
});

async function management(at: URL, method: string, body?: unknown): Promise<unknown> {
  const authorization = `Basic ${btoa(`${at.username}:${at.password}`)}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(at.origin + at.pathname, { method, headers, ...sent });
  expect(answer.ok).toBe(true);
  return answer.status === 200 ? answer.json() : null;
}

function accepts({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket
      .once('error', () => resolve(false))
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      });
  });
}
