import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ServersIn, serversIn } from './containers/choose.js';
import { imagesOf } from './containers/engine.js';
import { startMongoDbContainer, startRabbitMqContainer } from './containers/start-containers.js';
import { givenParts } from './environment.js';
import { databaseUrl } from './mongodb/database-url.js';
import { requireFreeSpace } from './free-space.js';
import { startMongoDb, type StartedMongoDb } from './mongodb/start-mongodb.js';
import { type ObjectStore, startObjectStore } from './object-store/start-object-store.js';
import { repositoryRoot } from './paths.js';
import { Guard } from './process/guard.js';
import type { Supervised } from './process/supervised.js';
import { startRabbitMq } from './rabbitmq/start-rabbitmq.js';
import { createVhost, type Vhost } from './rabbitmq/vhosts.js';
import { createRunFolder, type RunFolder } from './run-folder.js';
import type { Surroundings } from './surroundings.js';

export interface LocalStackOptions {
  /** The clone under whose `.local/` the run lives. */
  readonly root?: string;
  /** At least one; the first is the default. */
  readonly buckets?: readonly [string, ...string[]];
  /** The folder of a run that was kept: MongoDB and the bucket begin with a copy of its data. Not in containers. */
  readonly dataFrom?: string;
  /** Starts a server again when it dies (the default), as an orchestrator would. */
  readonly supervised?: boolean;
  /** Which parts are somebody else's; `process.env` unless told. */
  readonly env?: NodeJS.ProcessEnv;
  /** What RabbitMQ and MongoDB run in; as `EXPUNGE_SERVERS` of `env` says unless told, else locally. */
  readonly serversIn?: ServersIn;
  /** Called with every change of a server's pid. */
  readonly onPids?: () => void;
  readonly say?: (line: string) => void;
}

/** The servers everything runs on. A part the environment names has no `server`: it is not ours to end. */
export interface LocalStack {
  readonly run: RunFolder;
  readonly guard: Guard;
  readonly rabbitmq: {
    readonly url: string;
    readonly managementUrl: string;
    readonly server: Supervised | null;
    /** Runs `rabbitmqctl` on the node; resolves with what it prints. */
    readonly ctl: ((...args: string[]) => Promise<string>) | null;
  };
  readonly mongodb: {
    readonly url: string;
    readonly recordsUrl: string;
    /** The engine behind whichever of the two is ours. */
    readonly server: Supervised | null;
    readonly recordsAreOurs: boolean;
  };
  readonly s3: ObjectStore & { readonly server: Supervised | null };
  createVhost(name: string): Promise<Vhost>;
  /** Ends every server. Its data go with it unless kept, in which case the servers are given time to close it. */
  stop(options?: { readonly keep?: boolean }): Promise<void>;
}

export async function startLocalStack(options: LocalStackOptions = {}): Promise<LocalStack> {
  const env = options.env ?? process.env;
  const given = givenParts(env);
  const inContainers = (options.serversIn ?? serversIn(env)) === 'containers';
  const images = imagesOf(env);
  const root = options.root ?? repositoryRoot;
  requireFreeSpace(root);
  const run = createRunFolder(root);
  if (options.dataFrom !== undefined) copyData(options.dataFrom, run);
  const guard = new Guard([run.directory, run.sockets]);
  const say = options.say ?? (() => undefined);
  const { supervised = true, onPids } = options;
  const supervision = (startWithin: number) => ({
    supervised,
    startWithin,
    log: say,
    onPid: onPids,
  });
  const surroundings: Surroundings = { run, guard, say, supervision };
  const stops: ((patience: number) => Promise<void>)[] = [];
  const stop = async ({ keep = false } = {}) => {
    if (keep) guard.keep();
    await Promise.all(stops.map((end) => end(keep ? 5_000 : 0)));
    guard.end();
    rmSync(run.sockets, { recursive: true, force: true });
    if (!keep) rmSync(run.directory, { recursive: true, force: true });
  };
  const ours = async <T extends { server: Supervised; stop?: (patience: number) => Promise<void> }>(
    starting: Promise<T>,
  ) => {
    const part = await starting;
    stops.push(part.stop ?? ((patience) => part.server.stop(patience)));
    return part;
  };
  const needsMongoDb = given.mongodb === undefined || given.recordsMongodb === undefined;
  const starting = [
    given.rabbitmq
      ? Promise.resolve({ ...given.rabbitmq, server: null, ctl: null })
      : ours(inContainers ? startRabbitMqContainer(surroundings, images.rabbitmq) : startRabbitMq(surroundings)),
    needsMongoDb
      ? ours(inContainers ? startMongoDbContainer(surroundings, images.mongodb) : startMongoDb(surroundings))
      : Promise.resolve(null),
    given.s3
      ? Promise.resolve({ ...given.s3, server: null })
      : ours(startObjectStore(surroundings, options.buckets ?? ['expunge'])),
  ] as const;
  try {
    const [rabbitmq, engine, s3] = await Promise.all(starting);
    return {
      run,
      guard,
      rabbitmq,
      mongodb: mongoDbOf(given, engine),
      s3,
      createVhost: (name) => createVhost(rabbitmq.url, rabbitmq.managementUrl, name),
      stop,
    };
  } catch (error) {
    await Promise.allSettled(starting);
    await stop();
    throw error;
  }
}

/** A broker's data are bound to the name of its node, and stay. */
function copyData(from: string, { directory }: RunFolder): void {
  for (const name of ['mongodb', 's3']) {
    if (existsSync(join(from, name))) cpSync(join(from, name), join(directory, name), { recursive: true });
  }
}

function mongoDbOf(given: ReturnType<typeof givenParts>, engine: StartedMongoDb | null): LocalStack['mongodb'] {
  const url = given.mongodb ?? engine?.url ?? '';
  const recordsUrl = given.recordsMongodb ?? databaseUrl(engine?.url ?? '', 'records');
  const recordsAreOurs = given.recordsMongodb === undefined;
  return { url, recordsUrl, server: engine?.server ?? null, recordsAreOurs };
}
