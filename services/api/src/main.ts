import { runService } from '@expunge/runtime';
import { ApiModule } from './api.module.js';
import { configureHttp } from './configure-http.js';
import { apiSettings } from './settings.js';

await runService({
  service: 'api',
  settings: apiSettings,
  consumes: [],
  module: ApiModule,
  configure: configureHttp,
});
