export { type LocalStack, type LocalStackOptions, startLocalStack } from './local-stack.js';
export { databaseUrl } from './mongodb/database-url.js';
export type { ObjectStore } from './object-store/start-object-store.js';
export { Guard } from './process/guard.js';
export { Supervised } from './process/supervised.js';
export { createVhost, type Vhost } from './rabbitmq/vhosts.js';
