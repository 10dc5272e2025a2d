import { workQueues } from '@expunge/contracts';
import { runService } from '@expunge/runtime';
import { MonitorModule } from './monitor.module.js';
import { MonitorSettings } from './settings.js';

await runService({
  service: 'monitor',
  settings: MonitorSettings,
  // A standby of the single active consumer consumes too: the broker gives it nothing yet.
  consumes: [workQueues.monitorEvents],
  module: MonitorModule,
});
