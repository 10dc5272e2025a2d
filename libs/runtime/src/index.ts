export * from './activity.js';
export * from './identity.js';
export * from './logger.js';
export * from './readiness.js';
export * from './resources.js';
export * from './run-service.js';
export { BROKER, type Runtime, RuntimeModule } from './runtime.module.js';
export * from './settings.js';
export * from './store.js';
