import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { MOST_CALLS } from './call-limit.js';
import type { Answer, Bucket, Listing, ObjectStore, Presence, Refusal, Versioning } from './object-store.js';
import { refusalOf } from './s3-failure.js';

export interface S3Options {
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  forcePathStyle: boolean;
  /** What vouches for the body of a bulk delete. Some stores know only md5. */
  deleteChecksum: 'crc32' | 'md5';
  /** No call takes longer, its repetition after a reset connection included. */
  timeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const PROBE_TIMEOUT_MS = 1_500;
/** Nobody's: that it is not there is all that is asked. */
const PROBED_KEY = '.expunge/probe';

type Refused = Extract<Answer, { kind: 'refused' }>;

/** Any store that speaks the S3 API. Refusals are answers; only a bug is thrown. */
export class S3ObjectStore implements ObjectStore {
  constructor(
    private readonly options: S3Options,
    private readonly client = clientOf(options),
  ) {}

  inBucket(name: string | undefined): Bucket {
    return name === undefined ? this : new S3ObjectStore({ ...this.options, bucket: name }, this.client);
  }

  async deleteMany(keys: readonly string[]): Promise<Answer> {
    return this.asking(async (abortSignal) => {
      const command = new DeleteObjectsCommand({
        Bucket: this.options.bucket,
        // No Quiet: R2 ignores it, and a key that is not named is not known to be gone.
        Delete: { Objects: keys.map((Key) => ({ Key })) },
        ChecksumAlgorithm: this.options.deleteChecksum === 'md5' ? 'MD5' : 'CRC32',
      });
      const { Deleted = [], Errors = [] } = await this.client.send(command, { abortSignal });
      return {
        kind: 'answered',
        deleted: Deleted.flatMap(({ Key }) => (Key === undefined ? [] : [Key])),
        errors: Errors.flatMap(({ Key: key, Code: code = 'NO_CODE', Message: message = '' }) =>
          key === undefined ? [] : [{ key, code, message, status: null }],
        ),
      };
    });
  }

  async deleteOne(key: string): Promise<Answer> {
    return this.asking(async (abortSignal) => {
      await this.client.send(new DeleteObjectCommand({ Bucket: this.options.bucket, Key: key }), { abortSignal });
      return { kind: 'answered', deleted: [key], errors: [] };
    });
  }

  async has(key: string): Promise<Presence> {
    const answer = await this.asking(async (abortSignal): Promise<Presence> => {
      await this.client.send(new HeadObjectCommand({ Bucket: this.options.bucket, Key: key }), { abortSignal });
      return 'present';
    });
    // An answer to HEAD has no body: its status is all there is.
    const isAbsent = typeof answer === 'object' && answer.refusal.status === 404;
    return isAbsent ? 'absent' : answer;
  }

  async list(prefix: string): Promise<Listing> {
    return this.asking(async (abortSignal): Promise<Listing> => {
      const command = new ListObjectsV2Command({ Bucket: this.options.bucket, Prefix: prefix });
      const { Contents = [], IsTruncated } = await this.client.send(command, { abortSignal });
      // What does not say that it is whole is not taken to be.
      return { kind: 'listed', keys: Contents.map(({ Key = '' }) => Key), isWhole: IsTruncated === false };
    });
  }

  /** A GET: unlike that of a HEAD its refusal has a body that says why, and it is billed a tenth of a list. */
  async probe(): Promise<Refusal | null> {
    const answer = await this.asking(async (abortSignal): Promise<Presence> => {
      const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.options.bucket, Key: PROBED_KEY }), {
        abortSignal,
      });
      await Body?.transformToByteArray();
      return 'present';
    }, PROBE_TIMEOUT_MS);
    return typeof answer === 'object' && answer.refusal.code !== 'NoSuchKey' ? answer.refusal : null;
  }

  async versioning(): Promise<Versioning | Refusal> {
    const answer = await this.asking(async (abortSignal): Promise<Versioning> => {
      const command = new GetBucketVersioningCommand({ Bucket: this.options.bucket });
      const { Status } = await this.client.send(command, { abortSignal });
      return Status === 'Enabled' ? 'on' : Status === 'Suspended' ? 'suspended' : 'off';
    }, PROBE_TIMEOUT_MS);
    if (typeof answer === 'string') return answer;
    // A store that does not know the question has no versions.
    return answer.refusal.status === 501 ? 'off' : answer.refusal;
  }

  close(): void {
    this.client.destroy();
  }

  private async asking<T extends Answer | Presence | Listing | Versioning>(
    call: (abortSignal: AbortSignal) => Promise<T>,
    timeoutMs = this.options.timeoutMs,
  ): Promise<T | Refused> {
    // Over both attempts, and over an answer that begins and never ends.
    const abortSignal = AbortSignal.timeout(timeoutMs);
    const refused = (error: unknown): Refused => {
      const refusal = refusalOf(error);
      if (!refusal) throw error;
      if (!abortSignal.aborted || refusal.status !== null) return { kind: 'refused', refusal };
      const message = `no answer within ${timeoutMs} ms`;
      return { kind: 'refused', refusal: { code: 'TIMEOUT', message, status: null } };
    };
    const answer = await call(abortSignal).catch(refused);
    // A kept connection may have been closed under the request; some stores do so after each error answer.
    const reset = typeof answer === 'object' && answer.kind === 'refused' && answer.refusal.code === 'CONNECTION_RESET';
    return reset ? call(abortSignal).catch(refused) : answer;
  }
}

function clientOf({ endpoint, region, accessKeyId, secretAccessKey, forcePathStyle, timeoutMs }: S3Options): S3Client {
  const agent = { keepAlive: true, maxSockets: MOST_CALLS };
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle,
    credentials: { accessKeyId, secretAccessKey },
    // The SDK's repetitions wait, for as long as a busy store says, while the delivery is held: the tiers are for that.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      requestTimeout: timeoutMs,
      // Without this the SDK writes a line when the time is over, and waits on.
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
  // It makes up a line of every key that is asked for and answered, for a log that nobody has.
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
