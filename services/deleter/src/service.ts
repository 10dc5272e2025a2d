import { workQueues } from '@expunge/contracts';
import type { ServiceDefinition } from '@expunge/runtime';
import { DeleterModule } from './deleter.module.js';
import { deleterSettings, type DeleterSettings } from './settings.js';

export const deleter: ServiceDefinition<DeleterSettings> = {
  settings: deleterSettings,
  consumes: [workQueues.deleterJobs, workQueues.deleterSlices],
  module: DeleterModule,
};
