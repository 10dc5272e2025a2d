import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import type { Stores } from './contestant.js';

const KEYS_A_CALL = 1000;

/** Calls of 1,000 keys, so many of them under way at once. */
export class Purges {
  /** Objects that were asked for. */
  objects = 0;
  private waiting: string[] = [];
  private readonly underWay = new Set<Promise<unknown>>();

  constructor(
    private readonly stores: Pick<Stores, 's3' | 'bucket'>,
    private readonly most: number,
  ) {}

  /** Resolves as soon as all full calls are under way; what is left waits for more. */
  async add(keys: readonly string[]): Promise<void> {
    this.waiting.push(...keys);
    for (; this.waiting.length >= KEYS_A_CALL; this.waiting = this.waiting.slice(KEYS_A_CALL)) {
      await this.call(this.waiting.slice(0, KEYS_A_CALL));
    }
  }

  async end(): Promise<void> {
    if (this.waiting.length > 0) await this.call(this.waiting);
    await Promise.all(this.underWay);
  }

  private async call(keys: readonly string[]): Promise<void> {
    while (this.underWay.size >= this.most) await Promise.race(this.underWay);
    const { s3, bucket } = this.stores;
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    const call = s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));
    const done: Promise<unknown> = call.then(() => this.underWay.delete(done));
    this.underWay.add(done);
    this.objects += keys.length;
  }
}
