import { workQueues } from '@expunge/contracts';
import { runService } from '@expunge/runtime';
import { DeleterModule } from './deleter.module.js';
import { deleterSettings } from './settings.js';

await runService({
  service: 'deleter',
  settings: deleterSettings,
  consumes: [workQueues.deleterJobs, workQueues.deleterSlices],
  module: DeleterModule,
});
