export * from './delivery.js';
export * from './errors.js';
export * from './publisher.js';
