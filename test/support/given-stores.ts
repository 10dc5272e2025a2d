import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type LocalStack, prepareRecords, startLocalStack } from '@expunge/local-stack';
import { type Collection, MongoClient, ObjectId } from 'mongodb';

interface AnyReceipt {
  _id: ObjectId;
  tenantId: string;
  attachments: { key: string }[];
}

/** Servers that a command is told of by its environment, so that a test can look, and interfere, past it. */
export class GivenStores {
  readonly env: NodeJS.ProcessEnv;
  readonly receipts: Collection<AnyReceipt>;

  private constructor(
    private readonly stack: LocalStack,
    private readonly mongo: MongoClient,
    private readonly s3: S3Client,
  ) {
    this.receipts = mongo.db().collection('receipts');
    this.env = {
      RABBITMQ_URL: stack.rabbitmq.url,
      RABBITMQ_MANAGEMENT_URL: stack.rabbitmq.managementUrl,
      MONGODB_URL: stack.mongodb.url,
      RECORDS_MONGODB_URL: stack.mongodb.recordsUrl,
      S3_ENDPOINT: stack.s3.endpoint,
      S3_REGION: stack.s3.region,
      S3_BUCKET: stack.s3.bucket,
      S3_ACCESS_KEY_ID: stack.s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: stack.s3.secretAccessKey,
      S3_FORCE_PATH_STYLE: 'true',
    };
  }

  static async start(): Promise<GivenStores> {
    const stack = await startLocalStack({ env: {} });
    await prepareRecords(stack);
    const { endpoint, region, accessKeyId, secretAccessKey } = stack.s3;
    const s3 = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
    return new GivenStores(stack, new MongoClient(stack.mongodb.recordsUrl), s3);
  }

  async put(key: string): Promise<void> {
    await this.s3.send(new PutObjectCommand({ Bucket: this.stack.s3.bucket, Key: key, Body: 'x' }));
  }

  /** Of all tenants; objects are counted up to 1,000. */
  async left(): Promise<{ records: number; objects: number }> {
    const page = await this.s3.send(new ListObjectsV2Command({ Bucket: this.stack.s3.bucket }));
    return { records: await this.receipts.countDocuments(), objects: page.KeyCount ?? 0 };
  }

  async stop(): Promise<void> {
    await this.mongo.close();
    this.s3.destroy();
    await this.stack.stop();
  }
}
