import { DeleteObjectsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../object-store/start-object-store.js';

/** The bucket as the demo sees it: directly, past everything it is there to check. */
export class Bucket {
  readonly #client: S3Client;

  constructor(private readonly store: ObjectStore) {
    const { endpoint, region, accessKeyId, secretAccessKey } = store;
    this.#client = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async put(key: string, body: Uint8Array, type: string): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({ Bucket: this.store.bucket, Key: key, Body: body, ContentType: type }),
    );
  }

  async keys(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    let after: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({ Bucket: this.store.bucket, Prefix: prefix, ContinuationToken: after }),
      );
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      after = page.NextContinuationToken;
    } while (after !== undefined);
    return keys;
  }

  async removeAll(prefix: string): Promise<void> {
    const keys = await this.keys(prefix);
    for (let at = 0; at < keys.length; at += 1_000) {
      const Delete = { Objects: keys.slice(at, at + 1_000).map((Key) => ({ Key })) };
      const { Errors = [] } = await this.#client.send(
        new DeleteObjectsCommand({ Bucket: this.store.bucket, Delete, ChecksumAlgorithm: 'MD5' }),
      );
      if (Errors.length > 0) throw new Error(`${Errors.length} objects under ${prefix} cannot be removed`);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
