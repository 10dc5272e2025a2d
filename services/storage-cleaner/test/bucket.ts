import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Options } from '../src/object-store/s3-object-store.adapter.js';

/** The bucket as a test fills it and looks into it, by a client that shares nothing with the adapter. */
export interface Bucket {
  fill(keys: readonly string[]): Promise<void>;
  /** Every key under the prefix, in the store's order. */
  list(prefix: string): Promise<string[]>;
  has(key: string): Promise<boolean>;
  close(): void;
}

export function openBucket({ endpoint, region, bucket, accessKeyId, secretAccessKey }: S3Options): Bucket {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 5 });
  return {
    fill: async (keys) => {
      const waiting = keys.values();
      const worker = async () => {
        for (const Key of waiting) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
      };
      await Promise.all(Array.from({ length: 16 }, worker));
    },
    list: async (prefix) => {
      const keys: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken });
        const page = await client.send(command);
        keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
      return keys;
    },
    has: async (key) => {
      try {
        await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey') return false;
        throw error;
      }
    },
    close: () => client.destroy(),
  };
}
