import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { LocalStack } from './local-stack.js';
import { type ServiceName, serviceNames } from './services/instances.js';
import type { Services } from './services/start-services.js';

/** `.local/stack.json`: where a running system is, for tools and people. */
export interface StackFile {
  readonly api: string;
  readonly apis: readonly string[];
  readonly rabbitmq: string;
  readonly management: string;
  readonly mongodb: string;
  readonly records_mongodb: string;
  readonly monitors: readonly string[];
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly access_key_id: string;
    readonly secret_access_key: string;
  };
  readonly jwt_secret: string;
  readonly token: string;
  /** null where the part is somebody else's. */
  readonly pids: Readonly<Record<ServiceName, readonly number[]>> &
    Readonly<Record<'rabbitmq' | 'mongodb' | 's3', number | null>>;
}

export interface Access {
  readonly jwtSecret: string;
  readonly token: string;
}

export function describeStack(stack: LocalStack, services: Services, { jwtSecret, token }: Access): StackFile {
  const { rabbitmq, mongodb, s3 } = stack;
  const urlsOf = (service: ServiceName) => services.of(service).map(({ url }) => url);
  const pidsOf = (service: ServiceName) => services.of(service).map(({ process }) => process.pid);
  const apis = urlsOf('api');
  return {
    api: apis[0] ?? '',
    apis,
    rabbitmq: rabbitmq.url,
    management: rabbitmq.managementUrl,
    mongodb: mongodb.url,
    records_mongodb: mongodb.recordsUrl,
    monitors: urlsOf('monitor'),
    s3: {
      endpoint: s3.endpoint,
      region: s3.region,
      bucket: s3.bucket,
      access_key_id: s3.accessKeyId,
      secret_access_key: s3.secretAccessKey,
    },
    jwt_secret: jwtSecret,
    token,
    pids: {
      ...(Object.fromEntries(serviceNames.map((service) => [service, pidsOf(service)])) as Record<
        ServiceName,
        number[]
      >),
      rabbitmq: rabbitmq.server?.pid ?? null,
      mongodb: mongodb.server?.pid ?? null,
      s3: s3.server?.pid ?? null,
    },
  };
}

/** Whole or not at all: a reader never meets half a file. It holds secrets. */
export function writeStackFile(file: string, content: StackFile): void {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

export function readStackFile(file: string): StackFile | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StackFile;
  } catch {
    return null;
  }
}

export function removeStackFile(file: string): void {
  rmSync(file, { force: true });
}
