export { wholeNumber } from './arguments.js';
export { type Progress, showProgress } from './progress.js';
export { count, format } from './text.js';
