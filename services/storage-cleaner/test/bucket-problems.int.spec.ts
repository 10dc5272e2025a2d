import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Beats, listenToBeats } from '../../../test/support/beats.js';
import {
  type Behaviour,
  errorXml,
  type MisbehavingStore,
  startMisbehavingStore,
} from '../../../test/support/misbehaving-store.js';
import { seen } from '../../../test/support/seen.js';
import { freshVhost, objectStore } from '../../../test/support/servers.js';
import { builtMain, type ServiceProcess, startProcess } from '../../../test/support/service-process.js';

jest.setTimeout(180_000);

let vhost: Vhost;
let faulty: MisbehavingStore;
let beats: Beats;
let cleaner: ServiceProcess;
beforeAll(async () => {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = objectStore();
  [vhost, faulty] = [await freshVhost(), await startMisbehavingStore(endpoint)];
  faulty.behave(() => ({ does: 'answer', status: 403, body: errorXml('AccessDenied') }));
  beats = await listenToBeats(vhost.url);
  cleaner = startProcess(builtMain('storage-cleaner'), {
    RABBITMQ_URL: vhost.url,
    S3_ENDPOINT: faulty.endpoint,
    S3_BUCKET: bucket,
    S3_REGION: region,
    S3_ACCESS_KEY_ID: accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
  });
});
afterAll(async () => {
  cleaner.kill('SIGKILL');
  await cleaner.exited;
  await beats.close();
  await faulty.close();
  await vhost.drop();
});

test('heartbeats tell what the bucket says now, by code and status, and when it lets in again', async () => {
  const said = (code: string, status: number): Behaviour => ({ does: 'answer', status, body: errorXml(code) });
  const last = () => beats.heard.at(-1)?.data;
  for (const [code, status] of [
    ['AccessDenied', 403],
    ['SlowDown', 503],
    ['TooManyRequests', 429],
  ] as const) {
    faulty.behave(() => said(code, status));
    const told = await seen(`a heartbeat tells ${code}`, () => {
      const beat = last();
      return beat?.problems?.['bucket']?.code === code && beat;
    });
    const bucket = { code, message: `${code} it is`, status };
    expect(told).toMatchObject({ ready: false, problems: { bucket } });
  }
  faulty.behave(() => ({ does: 'pass' }));
  await seen('it is ready', () => last()?.ready);
  expect(last()).toMatchObject({ state: 'running', problems: {}, inHand: { 'storage-cleaner.batches': 0 } });
});
