import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  type LocalStack,
  type LocalStackOptions,
  newSecret,
  prepareRecords,
  type Services,
  type ServicesOptions,
  signToken,
  startLocalStack,
  startServices,
} from '@expunge/local-stack';
import type { AnyMessage } from '@expunge/contracts';
// For what it mends in the driver: the tests' own client outlives killed engines, too.
import '@expunge/runtime/store';
import { type Collection, type Db, type Document, MongoClient, ObjectId } from 'mongodb';
import type { SeenAnswer } from './described.js';
import { Followed } from './followed.js';

export interface Receipt {
  _id: ObjectId;
  tenantId: string;
  company?: string;
  total?: number;
  attachments?: { key: string }[];
  previewKey?: string;
}

export interface SystemOptions extends Partial<ServicesOptions> {
  /** Of the store; the first is S3_BUCKET. */
  buckets?: readonly [string, ...string[]];
  /** What else the servers are started with. */
  servers?: LocalStackOptions;
  /** The servers as the services are to see them; whoever looks into them, or fills them, goes past that. */
  asSeen?: (servers: LocalStack) => Promise<LocalStack>;
}

export interface ShownJob {
  id: string;
  status: string;
  progress: {
    processed: number;
    succeeded: number;
    failed_count: number;
    total: number | null;
    objects: { purged: number; retained: number; failed: number; pending: number };
  };
  failures: { id: string; code: string }[];
  retained_keys: string[];
  residue: { records: { left: number }; objects: { checked: number; present: number; refused: number } } | null;
  last_error: { code: string; message: string } | null;
  last_request: { id: string; type: string; outcome: string; reason: string | null } | null;
  max_records_per_second: number | null;
  picked_up: { instance: string } | null;
  trace_id: string | null;
  started_at: string | null;
  completed_at: string | null;
  diagnosis: { code: string; severity: string; since: string; summary: string } | null;
  confirmation: { total: number; total_is_estimate: boolean; limit: number } | null;
  dry_run: {
    total: number;
    total_is_estimate: boolean;
    sample?: { id: string; object_keys: string[]; failure: { code: string; message: string } | null }[];
  } | null;
}

export interface ShownEvidence {
  source: string;
  check: string;
  observed: string;
  expected: string;
  at: string;
}

export interface ShownDiagnosis {
  code: string | null;
  severity: string | null;
  since: string | null;
  summary: string | null;
  evidence: ShownEvidence[];
  contributing: { code: string; summary: string }[];
  not_checked: { what: string; why: string }[];
}

export interface Heard {
  id: string;
  type: AnyMessage['type'];
  /** Of the deleter's own events. */
  sequence?: number;
  data: Record<string, unknown>;
}

export interface ShownParked {
  queue: string;
  count: number;
  messages: {
    message_id: string | null;
    type: string | null;
    job: string | null;
    tenant: string | null;
    reason: string;
    parked_at: string | null;
    attempt: number;
    size: number;
  }[];
}

export const ended = ['completed', 'completed_with_residue', 'failed', 'cancelled'];
const PUTS_AT_ONCE = 32;

/** All of Expunge as processes on real servers, and the means to look into the stores past it. */
export class System {
  private constructor(
    readonly stack: LocalStack,
    readonly services: Services,
    /** Of the tokens. */
    readonly jwtSecret: string,
    private readonly mongo: MongoClient,
    private readonly s3: S3Client,
    private readonly databasePrefix: string,
  ) {}

  static async start(options: SystemOptions = {}): Promise<System> {
    const { buckets, servers, ...others } = options;
    const stack = await startLocalStack({ ...servers, ...(buckets && { buckets }) });
    try {
      await prepareRecords(stack);
      return await System.on(stack, others);
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /** One of several on the same servers: a vhost, databases and a folder of logs by its name. The servers are not its own. */
  static async startBeside(stack: LocalStack, name: string, options: SystemOptions): Promise<System> {
    const vhost = await stack.createVhost(name);
    const logs = join(stack.run.logs, name);
    mkdirSync(logs);
    const rabbitmq = { ...stack.rabbitmq, url: vhost.url };
    const own = { ...stack, rabbitmq, run: { ...stack.run, logs }, stop: () => vhost.drop() };
    return System.on(own, options, `${name}-`);
  }

  private static async on(stack: LocalStack, options: SystemOptions, databasePrefix = ''): Promise<System> {
    const { asSeen, ...ofServices } = options;
    const jwtSecret = newSecret();
    const theirs = (await asSeen?.(stack)) ?? stack;
    const env = { ...(options.env ?? process.env), DATABASE_PREFIX: databasePrefix };
    const services = await startServices({ stack: theirs, jwtSecret, log: 'files', ...ofServices, env });
    const { region, accessKeyId, secretAccessKey } = stack.s3;
    const s3 = new S3Client({
      endpoint: stack.s3.endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
      maxAttempts: 5,
    });
    return new System(stack, services, jwtSecret, clientOf(stack.mongodb.recordsUrl), s3, databasePrefix);
  }

  /** `keep` leaves data and logs where they are. */
  async stop({ keep = false } = {}): Promise<void> {
    await this.services.stop();
    await this.mongo.close();
    this.s3.destroy();
    await this.stack.stop({ keep });
  }

  /** The deleter's events of a job, by sequence. */
  eventsOf(job: string): Promise<Document[]> {
    return this.database('deleter').collection('events').find({ job }).sort({ sequence: 1 }).toArray();
  }

  /** The batch of the job that is under way: whose it is, until when it may be deleted, and of which records. */
  async planOf(job: string): Promise<{ instance: string; until: Date; ids: ObjectId[] } | null> {
    interface Job {
      _id: string;
      lanes: [{ plan: { owner: string; until: Date; records: { id: string }[] } | null }];
    }
    const found = await this.database('deleter').collection<Job>('jobs').findOne({ _id: job });
    const plan = found?.lanes[0].plan;
    if (!plan) return null;
    const ids = plan.records.map(({ id }) => new ObjectId(id));
    return { instance: plan.owner.split(':')[0] ?? '', until: plan.until, ids };
  }

  /** Every message of a job that the monitor has heard, in the order in which it did. Of a batch's keys it keeps a count. */
  async heardOf(job: string): Promise<Heard[]> {
    const entries = this.database('monitor').collection<{ job: string; message: Heard }>('ledger');
    const found = await entries.find({ job }).sort({ position: 1 }).toArray();
    return found.map(({ message }) => message);
  }

  /** Whether nothing is to come of a job any more, by what deleter and monitor have stored. */
  async isAtRest(job: string): Promise<boolean> {
    const [jobs, shown] = (['deleter', 'monitor'] as const).map((of) =>
      this.database(of).collection<{ _id: string; outbox: unknown[]; status: string }>('jobs'),
    );
    if (!(await jobs?.countDocuments({ _id: job, outbox: { $size: 0 } }))) return false;
    return (await shown?.countDocuments({ _id: job, status: { $in: ended } })) === 1;
  }

  database(of: 'deleter' | 'monitor'): Db {
    return this.mongo.db(this.databasePrefix + of);
  }

  get receipts(): Collection<Receipt> {
    return this.mongo.db().collection<Receipt>('receipts');
  }

  newTenant(): string {
    return `t-${randomBytes(4).toString('hex')}`;
  }

  /** Receipts with their files in the bucket; `n` of them, each with `files` of its own. */
  async fill(
    tenantId: string,
    n: number,
    files: number,
    change: (receipt: Receipt, i: number) => void = () => undefined,
  ) {
    const receipts = Array.from({ length: n }, (_, i): Receipt => {
      const _id = new ObjectId();
      const attachments = Array.from({ length: files }, (_file, f) => ({
        key: `tenants/${tenantId}/${_id.toHexString()}/${f}`,
      }));
      const receipt = { _id, tenantId, company: i % 2 === 0 ? 'Aria' : 'Brio', total: i, attachments };
      change(receipt, i);
      return receipt;
    });
    await this.put(keysOf(receipts));
    for (let from = 0; from < n; from += 10_000) await this.receipts.insertMany(receipts.slice(from, from + 10_000));
    return receipts;
  }

  async put(keys: string[], bucket = this.stack.s3.bucket): Promise<void> {
    const waiting = [...new Set(keys)];
    await Promise.all(
      Array.from({ length: PUTS_AT_ONCE }, async () => {
        for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
          await this.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x' }));
        }
      }),
    );
  }

  async request(tenant: string, body: object, headers: Record<string, string> = {}): Promise<string> {
    const [api] = this.services.of('api');
    const answer = await fetch(`${api!.url}/api/jobs`, {
      method: 'POST',
      headers: { ...(await this.authorization(tenant)), 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ resource: 'receipts', ...body }),
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`POST /api/jobs answered ${answer.status}: ${text}`);
    return (JSON.parse(text) as ShownJob).id;
  }

  /** `pause`, `resume`, `cancel`, `retry`; a number or null changes the rate. */
  async ask(tenant: string, id: string, what: string | number | null): Promise<void> {
    const [api] = this.services.of('api');
    const isVerb = typeof what === 'string';
    const answer = await fetch(`${api!.url}/api/jobs/${id}${isVerb ? `/${what}` : ''}`, {
      method: isVerb ? 'POST' : 'PATCH',
      headers: { ...(await this.authorization(tenant)), 'content-type': 'application/json' },
      body: JSON.stringify(isVerb ? { reason: 'a test' } : { max_records_per_second: what }),
    });
    if (answer.status !== 202) throw new Error(`${what} answered ${answer.status}: ${await answer.text()}`);
  }

  /** By queue. */
  async parked(limit = 100): Promise<Record<string, ShownParked>> {
    const { queues } = (await this.operate('GET', `/api/parked?limit=${limit}`)) as { queues: ShownParked[] };
    return Object.fromEntries(queues.map((shown) => [shown.queue, shown]));
  }

  async replay(queue: string, count: number): Promise<{ replayed: number; remaining: number }> {
    const answer = await this.operate('POST', `/api/parked/${queue}/replay`, { count });
    return answer as { replayed: number; remaining: number };
  }

  async pauseAll(reason: string): Promise<{ asked: number; jobs: { id: string; tenant: string }[] }> {
    const answer = await this.operate('POST', '/api/pause-all', { reason });
    return answer as { asked: number; jobs: { id: string; tenant: string }[] };
  }

  private async operate(method: string, path: string, body?: object): Promise<unknown> {
    const [api] = this.services.of('api');
    const answer = await fetch(api!.url + path, {
      method,
      headers: { ...(await this.authorization('operations')), 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** Whatever there is to read at an address of the api. */
  async get(tenant: string, path: string): Promise<SeenAnswer> {
    const [api] = this.services.of('api');
    const answer = await fetch(api!.url + path, { headers: await this.authorization(tenant) });
    const contentType = answer.headers.get('content-type');
    return { method: 'GET', path, status: answer.status, contentType, body: await answer.json() };
  }

  /** Its stream of events, from behind a position on. */
  async follow(tenant: string, id: string, lastEventId?: number): Promise<Followed> {
    const [api] = this.services.of('api');
    return Followed.open(`${api!.url}/api/jobs/${id}/stream`, {
      ...(await this.authorization(tenant)),
      ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }),
    });
  }

  /** Null while the api cannot be asked, or does not know the job yet. */
  async job(tenant: string, id: string): Promise<ShownJob | null> {
    const [api] = this.services.of('api');
    try {
      const answer = await fetch(`${api!.url}/api/jobs/${id}`, {
        headers: await this.authorization(tenant),
        signal: AbortSignal.timeout(5000),
      });
      return answer.ok ? ((await answer.json()) as ShownJob) : null;
    } catch {
      return null;
    }
  }

  /** @throws Error when there is no answer, or a problem, with its words */
  async diagnosis(tenant: string, id: string): Promise<ShownDiagnosis> {
    const [api] = this.services.of('api');
    const answer = await fetch(`${api!.url}/api/jobs/${id}/diagnosis`, {
      headers: await this.authorization(tenant),
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`the diagnosis answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as ShownDiagnosis;
  }

  async until(
    tenant: string,
    id: string,
    what: string,
    is: (job: ShownJob) => boolean,
    withinMs = 60_000,
    everyMs = 50,
  ): Promise<ShownJob> {
    const end = Date.now() + withinMs;
    for (let last: ShownJob | null = null; ;) {
      const job = await this.job(tenant, id);
      if (job && is(job)) return job;
      last = job ?? last;
      if (Date.now() > end)
        throw new Error(`${what}: not within ${withinMs / 1000} s; last seen ${JSON.stringify(last)}`);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  untilEnded(tenant: string, id: string, withinMs = 60_000): Promise<ShownJob> {
    return this.until(tenant, id, 'the end of the job', (job) => ended.includes(job.status), withinMs);
  }

  /** What database and bucket hold of a tenant, read past Expunge. */
  async left(tenant: string): Promise<{ ids: string[]; keys: string[] }> {
    const found = await this.receipts.find({ tenantId: tenant }, { projection: { _id: 1 } }).toArray();
    return {
      ids: found.map((receipt) => receipt._id.toHexString()).sort(),
      keys: await this.keys(`tenants/${tenant}/`),
    };
  }

  async keys(prefix: string, bucket = this.stack.s3.bucket): Promise<string[]> {
    const keys: string[] = [];
    for (let token: string | undefined; ;) {
      const page = await this.s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      );
      keys.push(...(page.Contents ?? []).map((object) => object.Key ?? ''));
      token = page.NextContinuationToken;
      if (token === undefined) return keys.sort();
    }
  }

  async remove(keys: string[]): Promise<void> {
    const Objects = keys.map((Key) => ({ Key }));
    await this.s3.send(new DeleteObjectsCommand({ Bucket: this.stack.s3.bucket, Delete: { Objects } }));
  }

  async authorization(tenant: string): Promise<{ authorization: string }> {
    return { authorization: `Bearer ${await signToken(this.jwtSecret, tenant)}` };
  }
}

/**
 * What is said to be written must survive a killed engine, or a test takes its own loss for ours; and a client that
 * looks every 10 s only would miss an engine that is killed again and again.
 */
const clientOf = (url: string) =>
  new MongoClient(url, {
    writeConcern: { w: 1, journal: true },
    serverSelectionTimeoutMS: 5000,
    heartbeatFrequencyMS: 1000,
    socketTimeoutMS: 60_000,
  });

export const idsOf = (receipts: Receipt[]): string[] => receipts.map((receipt) => receipt._id.toHexString()).sort();
export const keysOf = (receipts: Receipt[]): string[] =>
  [
    ...new Set(
      receipts.flatMap((r) => [
        ...(r.attachments ?? []).map((attachment) => attachment.key),
        ...(r.previewKey === undefined ? [] : [r.previewKey]),
      ]),
    ),
  ].sort();
