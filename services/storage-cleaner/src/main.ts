import { workQueues } from '@expunge/contracts';
import { runService } from '@expunge/runtime';
import { storageCleanerSettings } from './settings.js';
import { StorageCleanerModule } from './storage-cleaner.module.js';

await runService({
  service: 'storage-cleaner',
  settings: storageCleanerSettings,
  consumes: [workQueues.storageCleanerBatches],
  module: StorageCleanerModule,
});
