import { once } from 'node:events';
import { type Collection, type Db, MongoClient, type ObjectId } from 'mongodb';
import { S3Client } from '@aws-sdk/client-s3';
import { does, type Step } from '../promises/steps.js';
import type { Tuning } from './floor-tuning.js';

/** What a contestant that runs as a process of its own is given, as its first message. */
export interface Task {
  mongodbUrl: string;
  s3: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string; bucket: string };
  /** Deleted first, so that nobody is measured with cold code. */
  warmUpTenant: string;
  tenant: string;
  /** Of the floor. */
  tuning: Tuning;
  /** Which of Expunge's promises are kept. */
  step: Step;
  /** What is needed for them beside the records: a server of databases, and a broker. */
  expunge: { mongodbUrl: string; rabbitmqUrl: string };
  /** Of the Redis of the original's way, which alone has one. */
  redisSocket: string;
}

export interface Deleted {
  records: number;
  objects: number;
  /** Milliseconds from the beginning until the first records were gone. */
  firstBatchMs: number;
}

export type Measured = Deleted & { seconds: number };

export interface Receipt {
  _id: ObjectId;
  tenantId: string;
  attachments?: { key: string }[];
}

export interface Stores {
  receipts: Collection<Receipt>;
  s3: S3Client;
  bucket: string;
}

/**
 * The life of a contestant: takes its task, says `ready` when it has deleted the warm-up tenant, waits for `go`, deletes
 * the tenant, and tells what it took. Ends with its parent.
 */
export async function contest(
  deleteAll: (task: Task, stores: Stores, tenant: string) => Promise<Deleted>,
): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  const [task] = (await once(process, 'message')) as [Task];
  const db = does(task.step, 'journal') ? await durable(task.mongodbUrl) : await volatile(task.mongodbUrl);
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = task.s3;
  const s3 = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const stores = { receipts: db.collection<Receipt>('receipts'), s3, bucket };
  await deleteAll(task, stores, task.warmUpTenant);
  process.send?.('ready');
  await once(process, 'message');
  const began = performance.now();
  const deleted = await deleteAll(task, stores, task.tenant);
  const result: Measured = { ...deleted, seconds: (performance.now() - began) / 1000 };
  process.send?.(result);
}

/** Whoever promises nothing waits for no journal. */
const volatile = async (url: string): Promise<Db> =>
  (await MongoClient.connect(url, { writeConcern: { w: 1, journal: false } })).db();

/** As Expunge opens it. Loaded only here, since it mends the driver: whoever promises nothing has that as it is. */
const durable = async (url: string): Promise<Db> => (await import('../promises/open.js')).openDatabase(url);

export const keysOf = (receipts: readonly Receipt[]): string[] =>
  receipts.flatMap(({ attachments = [] }) => attachments.map(({ key }) => key));
