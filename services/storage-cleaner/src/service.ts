import { workQueues } from '@expunge/contracts';
import type { ServiceDefinition } from '@expunge/runtime';
import { storageCleanerSettings, type StorageCleanerSettings } from './settings.js';
import { StorageCleanerModule } from './storage-cleaner.module.js';

export const storageCleaner: ServiceDefinition<StorageCleanerSettings> = {
  settings: storageCleanerSettings,
  consumes: [workQueues.storageCleanerBatches],
  module: StorageCleanerModule,
};
