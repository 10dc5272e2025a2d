import type { ObjectStore } from './object-store/start-object-store.js';

/** The parts somebody runs already, as the environment names them. */
export interface GivenParts {
  readonly rabbitmq?: { readonly url: string; readonly managementUrl: string };
  readonly mongodb?: string;
  readonly recordsMongodb?: string;
  readonly s3?: ObjectStore;
}

export function givenParts(env: NodeJS.ProcessEnv): GivenParts {
  const value = (name: string) => (env[name] === '' ? undefined : env[name]);
  const together = (name: string, because: string) => {
    const found = value(name);
    if (found === undefined) throw new Error(`${because} is set, so ${name} has to be set too`);
    return found;
  };
  const url = value('RABBITMQ_URL');
  const mongodb = value('MONGODB_URL');
  const recordsMongodb = value('RECORDS_MONGODB_URL');
  const endpoint = value('S3_ENDPOINT');
  return {
    ...(url === undefined
      ? {}
      : { rabbitmq: { url, managementUrl: together('RABBITMQ_MANAGEMENT_URL', 'RABBITMQ_URL') } }),
    ...(mongodb === undefined ? {} : { mongodb }),
    ...(recordsMongodb === undefined ? {} : { recordsMongodb }),
    ...(endpoint === undefined
      ? {}
      : {
          s3: {
            endpoint,
            region: value('S3_REGION') ?? 'auto',
            bucket: together('S3_BUCKET', 'S3_ENDPOINT'),
            accessKeyId: together('S3_ACCESS_KEY_ID', 'S3_ENDPOINT'),
            secretAccessKey: together('S3_SECRET_ACCESS_KEY', 'S3_ENDPOINT'),
          },
        }),
  };
}
