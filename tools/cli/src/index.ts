export { wholeNumber } from './arguments.js';
export { type Progress, showProgress } from './progress.js';
export { isOver } from './answers.js';
export { count, format, outlook } from './text.js';
