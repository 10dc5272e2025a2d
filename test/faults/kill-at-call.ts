/**
 * Loaded into a service by `node --import`: wraps the drivers it uses, and ends the process at the one call it was told.
 * Counted is what is called while a message of the job under trial, or its HTTP request, is handled: heartbeats, sweeps
 * and looks whether a store is there come at any time, and must not shift the count.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { type IncomingMessage, Server } from 'node:http';
import { flushCompileCache } from 'node:module';
import type { ConsumeMessage } from 'amqplib';
import { type Aim, aimFile, callsFile, died } from './crash-point.js';
import { type Drivers, internal, type Method, wrap } from './drivers.js';

const { CRASH_POINTS: folder = '', INSTANCE: instance = '', DATABASE_PREFIX: prefix = '' } = process.env;
const main = process.argv[1] ?? '';

/** The calls made for one job. */
class Trial {
  private readonly made = new Map<string, number>();

  constructor(readonly aim: Aim) {}

  /** Returns what is to be told of the call's answer. */
  call(name: string): () => void {
    const { job, point } = this.aim;
    const nth = (this.made.get(name) ?? 0) + 1;
    this.made.set(name, nth);
    appendFileSync(callsFile(folder, instance, job), `${name}\n`);
    const dieIf = (when: 'before' | 'after') => {
      if (point?.call !== name || point.nth !== nth || point.when !== when) return;
      // Taken back: the job is done, and nobody would start another process.
      if (readAim()?.job !== job) return;
      // First, so that the process that comes after this one lives.
      rmSync(aimFile(folder, instance), { force: true });
      appendFileSync(callsFile(folder, instance, job), `${died(point)}\n`);
      process.kill(process.pid, 'SIGKILL');
    };
    dieIf('before');
    return () => dieIf('after');
  }
}

const trials = new AsyncLocalStorage<Trial | null>();
let current: Trial | null = null;

function trialOf(subject: unknown): Trial | null {
  const aim = readAim();
  if (aim === null || (subject !== aim.job && subject !== aim.key)) return null;
  if (current?.aim.job !== aim.job) current = new Trial(aim);
  return current;
}

function readAim(): Aim | null {
  try {
    return JSON.parse(readFileSync(aimFile(folder, instance), 'utf8')) as Aim;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const call = (name: string): (() => void) => trials.getStore()?.call(name) ?? (() => undefined);

async function around<T>(name: string, make: () => T): Promise<Awaited<T>> {
  const answered = call(name);
  try {
    return await make();
  } finally {
    answered();
  }
}

/** Made for the first of several jobs, whichever that is: a delete that matches nothing, and a sample. */
const isOfPreflight = ({ deletes, pipeline }: Record<string, unknown>): boolean =>
  /"_id":\{"\$in":\[\]\}|"\$sample"/.test(JSON.stringify([deletes, pipeline]));

function wrapDatabase(): void {
  const { Connection } = internal(['mongodb'], './cmap/connection.js') as Drivers['mongodb'];
  wrap(Connection.prototype, 'command', (command, args) => {
    const [{ db }, what] = args as [{ db: string }, Record<string, unknown>];
    const [name = '', collection] = Object.entries(what)[0] ?? [];
    // Its own conversation about the connection, whoever needed one first.
    if (['hello', 'ismaster', 'ping', 'endSessions'].includes(name) || isOfPreflight(what)) return command(...args);
    const where = [db.slice(db.startsWith(prefix) ? prefix.length : 0), collection].filter(
      (s) => typeof s === 'string',
    );
    return around(`${name} ${where.join('.')}`, () => command(...args));
  });
}

function wrapBroker(): void {
  const { Channel, ConfirmChannel } = internal(['amqplib'], './lib/channel_model.js') as Drivers['amqplib'];
  const queues = new WeakMap<object, string>();
  const checkQueue = Reflect.get(Channel.prototype, 'checkQueue') as (queue: string) => Promise<unknown>;
  wrap(Channel.prototype, 'consume', (consume, [queue, callback, ...rest], channel) => {
    queues.set(channel as object, queue as string);
    const underTrial = (message: ConsumeMessage | null) =>
      trials.run(trialOf(message?.properties.correlationId), callback as Method, message);
    return consume(queue, underTrial, ...rest);
  });
  for (const settle of ['ack', 'reject'] as const) {
    wrap(Channel.prototype, settle, (real, args, channel) => {
      const queue = queues.get(channel as object) ?? '';
      const answered = call(`${settle} ${queue} ${String((args[0] as ConsumeMessage).properties.type)}`);
      real(...args);
      // Nothing answers it; what is asked on the same channel is answered after the broker has taken it.
      if (trials.getStore()) void checkQueue.call(channel, queue).then(answered, answered);
    });
  }
  wrap(Channel.prototype, 'checkQueue', (check, args) => around(`look into ${String(args[0])}`, () => check(...args)));
  wrap(ConfirmChannel.prototype, 'publish', (publish, [exchange, key, content, options, confirmed]) => {
    const answered = call(`publish ${String(key)}`);
    return publish(exchange, key, content, options, (error: unknown) => {
      answered();
      (confirmed as Method)(error);
    });
  });
}

function wrapBucket(): void {
  const { NodeHttpHandler } = internal(
    ['@aws-sdk/client-s3', '@smithy/node-http-handler'],
    './index.js',
  ) as Drivers['s3'];
  wrap(NodeHttpHandler.prototype, 'handle', (handle, args) => {
    const { method, query } = args[0] as { method: string; query: Record<string, unknown> };
    return around(['bucket', method, ...Object.keys(query)].join(' '), () => handle(...args));
  });
}

function wrapHttp(): void {
  wrap(Server.prototype, 'emit', (emit, args) => {
    if (args[0] !== 'request') return emit(...args);
    const { headers } = args[1] as IncomingMessage;
    return trials.run(trialOf(headers['idempotency-key'] ?? null), emit, ...args);
  });
  const real = globalThis.fetch;
  globalThis.fetch = (...args) => around('ask a monitor', () => real(...args));
}

wrapDatabase();
wrapBroker();
if (main.includes('storage-cleaner')) wrapBucket();
wrapHttp();
// Written at an end in order, to which these processes do not come.
setTimeout(flushCompileCache, 3000).unref();
