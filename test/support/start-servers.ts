import { chooseServers, type LocalStack, startLocalStack } from '@expunge/local-stack';

/** Set-up and teardown run in one process, and share nothing else. */
export interface WithTestServers {
  expungeTestServers?: LocalStack;
}

/** One stack for all integration tests; each file takes a vhost, a database and keys of its own (servers.ts). */
export default async function startServers(): Promise<void> {
  const say = (line: string) => void process.stdout.write(`expunge: ${line}\n`);
  await chooseServers(process.env, say);
  const buckets = ['expunge', 'expunge-other'] as const;
  const stack = await startLocalStack({ say, buckets });
  (globalThis as WithTestServers).expungeTestServers = stack;
  Object.assign(process.env, {
    EXPUNGE_TEST_RABBITMQ_URL: stack.rabbitmq.url,
    EXPUNGE_TEST_RABBITMQ_MANAGEMENT_URL: stack.rabbitmq.managementUrl,
    EXPUNGE_TEST_MONGODB_URL: stack.mongodb.url,
    EXPUNGE_TEST_S3_ENDPOINT: stack.s3.endpoint,
    EXPUNGE_TEST_S3_REGION: stack.s3.region,
    EXPUNGE_TEST_S3_BUCKET: stack.s3.bucket,
    EXPUNGE_TEST_S3_ACCESS_KEY_ID: stack.s3.accessKeyId,
    EXPUNGE_TEST_S3_SECRET_ACCESS_KEY: stack.s3.secretAccessKey,
    // Somebody else's store has what its owner says that it has.
    ...(stack.s3.server && { EXPUNGE_TEST_S3_OTHER_BUCKET: buckets[1] }),
  });
}
