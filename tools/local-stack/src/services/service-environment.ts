import type { LocalStack } from '../local-stack.js';
import type { Instance } from './instances.js';

/** Given to those services alone that need them, whatever the parent's environment holds. */
const wired =
  /^(RABBITMQ_|MONGODB_URL$|RECORDS_MONGODB_URL$|S3_(?!TIMEOUT$)|JWT_|MONITOR_URLS$|PORT$|INTERNAL_PORT$|HOST$|INSTANCE$|npm_)/;

export interface Wiring {
  readonly stack: Pick<LocalStack, 'rabbitmq' | 'mongodb' | 's3'>;
  readonly jwtSecret: string;
  readonly monitorUrls: readonly string[];
  /** The parent's environment: what a service reads besides its stores (LOG_LEVEL, OTEL_…) goes through. */
  readonly inherited: NodeJS.ProcessEnv;
}

/** What a service reads from its environment; a secret it does not need is not there. */
export function environmentOf(instance: Instance, wiring: Wiring): NodeJS.ProcessEnv {
  const { rabbitmq, mongodb } = wiring.stack;
  const inherited = Object.entries(wiring.inherited).filter(([name]) => !wired.test(name));
  const common = {
    LOG_LEVEL: 'info',
    ...Object.fromEntries(inherited),
    HOST: '127.0.0.1',
    PORT: String(instance.port),
    INSTANCE: instance.name,
    RABBITMQ_URL: rabbitmq.url,
  };
  switch (instance.service) {
    case 'api':
      return {
        ...common,
        RABBITMQ_MANAGEMENT_URL: rabbitmq.managementUrl,
        MONGODB_URL: mongodb.url,
        JWT_SECRET: wiring.jwtSecret,
        MONITOR_URLS: wiring.monitorUrls.join(','),
      };
    case 'deleter':
      return { ...common, MONGODB_URL: mongodb.url, RECORDS_MONGODB_URL: mongodb.recordsUrl };
    case 'storage-cleaner':
      return { ...common, ...bucketSettings(wiring) };
    case 'monitor':
      return { ...common, RABBITMQ_MANAGEMENT_URL: rabbitmq.managementUrl, MONGODB_URL: mongodb.url };
  }
}

function bucketSettings({ stack: { s3 }, inherited }: Wiring): NodeJS.ProcessEnv {
  // How to talk to a bucket of somebody else's is theirs to say; ours wants path style.
  const manner = s3.server
    ? { S3_FORCE_PATH_STYLE: 'true' }
    : Object.fromEntries(
        ['S3_FORCE_PATH_STYLE', 'S3_DELETE_CHECKSUM'].flatMap((name) =>
          inherited[name] === undefined ? [] : [[name, inherited[name]]],
        ),
      );
  return {
    ...manner,
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: s3.bucket,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}
