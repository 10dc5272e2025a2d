import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type LocalStack, prepareRecords, startLocalStack } from '@expunge/local-stack';
import { MongoClient, ObjectId } from 'mongodb';
import type { Receipt } from '../../test/support/system.js';

const INSERTED_AT_ONCE = 10_000;
const PUTS_AT_ONCE = 32;
const OTHERS = 200;

/** Nobody asks a broker while stores are filled, nor does the floor. */
export const noBroker = { RABBITMQ_URL: 'amqp://nobody', RABBITMQ_MANAGEMENT_URL: 'http://nobody' };

export interface Tenant {
  name: string;
  records: number;
  keys: string[];
}

/** Made once, and copied for each contestant. */
export interface Fill {
  /** With the data of MongoDB and, if the bucket is the simulator, of that. */
  folder: string;
  files: number;
  measured: Tenant;
  /** Deleted first, so that nobody is measured with cold code. */
  warmUp: Tenant;
  /** To be left alone. */
  other: Tenant;
}

export interface FillOptions {
  records: number;
  /** As many as the records, if not given: after a fifth of them a run was still an eighth slower than the third one. */
  warmUp?: number;
  /** Of each record. */
  files: number;
  /** Whether objects go to the simulator; else nobody but the `Fill` knows their keys. */
  inSimulator: boolean;
}

export async function makeFill({ records, warmUp = records, files, inSimulator }: FillOptions): Promise<Fill> {
  const memoryBucket = {
    S3_ENDPOINT: 'http://nobody',
    S3_BUCKET: 'b',
    S3_ACCESS_KEY_ID: 'i',
    S3_SECRET_ACCESS_KEY: 's',
  };
  const env = { ...noBroker, ...(!inSimulator && memoryBucket) };
  const stack = await startLocalStack({ env });
  try {
    await prepareRecords(stack);
    const tenants = {
      measured: await fillTenant(stack.mongodb.recordsUrl, records, files),
      warmUp: await fillTenant(stack.mongodb.recordsUrl, warmUp, files),
      other: await fillTenant(stack.mongodb.recordsUrl, OTHERS, files),
    };
    const keys = Object.values(tenants).flatMap((tenant) => tenant.keys);
    if (inSimulator) await put(stack.s3, keys);
    return { folder: stack.run.directory, files, ...tenants };
  } finally {
    await stack.stop({ keep: true });
  }
}

export function removeFill({ folder }: Fill): void {
  rmSync(folder, { recursive: true, force: true });
}

export const keysOfAll = ({ measured, warmUp, other }: Fill): string[] =>
  [measured, warmUp, other].flatMap(({ keys }) => keys);

export const prefixOf = ({ name }: Tenant): string => `tenants/${name}/`;

/** Receipts whose keys nobody has put anywhere yet. */
export async function fillTenant(recordsUrl: string, records: number, files: number): Promise<Tenant> {
  const name = `t-${randomBytes(4).toString('hex')}`;
  const client = await MongoClient.connect(recordsUrl);
  const receipts = client.db().collection<Receipt>('receipts');
  const keys: string[] = [];
  try {
    for (let from = 0; from < records; from += INSERTED_AT_ONCE) {
      const page = Array.from({ length: Math.min(INSERTED_AT_ONCE, records - from) }, (_, i): Receipt => {
        const _id = new ObjectId();
        const attachments = Array.from({ length: files }, (_file, f) => ({
          key: `tenants/${name}/${_id.toHexString()}/${f}`,
        }));
        return { _id, tenantId: name, company: i % 2 === 0 ? 'Aria' : 'Brio', total: from + i, attachments };
      });
      await receipts.insertMany(page, { ordered: false });
      for (const { attachments = [] } of page) for (const { key } of attachments) keys.push(key);
    }
  } finally {
    await client.close();
  }
  return { name, records, keys };
}

async function put(s3: LocalStack['s3'], keys: readonly string[]): Promise<void> {
  const client = clientOf(s3);
  const waiting = [...keys];
  await Promise.all(
    Array.from({ length: PUTS_AT_ONCE }, async () => {
      for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
        await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: key, Body: 'x' }));
      }
    }),
  );
  client.destroy();
}

export function clientOf({ endpoint, region, accessKeyId, secretAccessKey }: LocalStack['s3']): S3Client {
  const credentials = { accessKeyId, secretAccessKey };
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 5 });
}
