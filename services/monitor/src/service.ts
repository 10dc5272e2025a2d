import { workQueues } from '@expunge/contracts';
import type { ServiceDefinition } from '@expunge/runtime';
import { MonitorModule } from './monitor.module.js';
import { MonitorSettings } from './settings.js';

export const monitor: ServiceDefinition<MonitorSettings> = {
  settings: MonitorSettings,
  // A standby of the single active consumer consumes too: the broker gives it nothing yet.
  consumes: [workQueues.monitorEvents],
  module: MonitorModule,
};
