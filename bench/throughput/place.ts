import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { LocalStack, LocalStackOptions } from '@expunge/local-stack';
import { MongoClient } from 'mongodb';
import { clientOf, type Fill, keysOfAll, prefixOf } from './fill.js';
import { MemoryBucket } from './memory-bucket.js';
import type { BucketKind } from './run.js';

const DELAY_MS: Record<Exclude<BucketKind, 'simulator'>, number> = { instant: 0, remote: 50 };

/** The bucket of one deletion, and how a stack is started with it and with a copy of what was filled. */
export interface Place {
  servers: LocalStackOptions;
  /** Of the bucket, where it is not the stack's. */
  pids: Record<string, number>;
  /** @throws Error unless the measured tenant has gone and the other stands, in both stores */
  check(stack: LocalStack): Promise<void>;
  close(): Promise<void>;
}

export async function openPlace(kind: BucketKind, fill: Fill): Promise<Place> {
  const bucket = kind === 'simulator' ? null : await MemoryBucket.start(DELAY_MS[kind]);
  await bucket?.fill(keysOfAll(fill));
  return {
    servers: { env: bucket?.env ?? {}, dataFrom: fill.folder },
    pids: bucket ? { bucket: bucket.pid } : {},
    check: async (stack) => {
      const count = bucket ? (prefix: string) => bucket.count(prefix) : (prefix: string) => countIn(stack, prefix);
      await check(stack, fill, count);
    },
    close: async () => bucket?.stop(),
  };
}

/** What a contestant is given is not only to be fast. */
async function check({ mongodb }: LocalStack, fill: Fill, countObjects: (prefix: string) => Promise<number>) {
  const client = await MongoClient.connect(mongodb.recordsUrl);
  try {
    const receipts = client.db().collection('receipts');
    for (const [tenant, share] of [
      [fill.measured, 0],
      [fill.warmUp, 0],
      [fill.other, 1],
    ] as const) {
      const found = [await receipts.countDocuments({ tenantId: tenant.name }), await countObjects(prefixOf(tenant))];
      const expected = [share * tenant.records, share * tenant.keys.length];
      if (found.join() !== expected.join()) {
        throw new Error(`${tenant.name} has ${found.join(' records and ')} objects, not ${expected.join(' and ')}`);
      }
    }
  } finally {
    await client.close();
  }
}

async function countIn({ s3 }: LocalStack, prefix: string): Promise<number> {
  const client = clientOf(s3);
  const { KeyCount = 0, IsTruncated } = await client.send(
    new ListObjectsV2Command({ Bucket: s3.bucket, Prefix: prefix }),
  );
  client.destroy();
  if (IsTruncated) throw new Error(`there are more than ${KeyCount} objects under ${prefix}`);
  return KeyCount;
}

export function serverPids({ mongodb, rabbitmq, s3 }: LocalStack): Record<string, number> {
  const servers = { mongodb: mongodb.server, rabbitmq: rabbitmq.server, s3: s3.server };
  return Object.fromEntries(Object.entries(servers).flatMap(([name, server]) => (server ? [[name, server.pid]] : [])));
}
