import type { ServiceDefinition } from '@expunge/runtime';
import { ApiModule } from './api.module.js';
import { configureHttp } from './configure-http.js';
import { apiSettings, type ApiSettings } from './settings.js';

export const api: ServiceDefinition<ApiSettings> = {
  settings: apiSettings,
  consumes: [],
  module: ApiModule,
  configure: (app) => configureHttp(app),
};
