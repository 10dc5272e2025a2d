import type { Size } from './world.js';

export interface Named {
  name: string;
  size: Size;
}

/** Two records, and what is not said otherwise. */
export const sizeOf = (given: Partial<Size>): Size => ({
  records: { a: ['ka'], b: ['kb'] },
  batchSize: 1,
  steps: 2,
  requests: [],
  from: 'running',
  budget: {},
  ...given,
});

const a = { a: ['ka'] };
const unconfirmed: Partial<Size> = { records: a, from: 'request', begins: 'unconfirmed' };
const named = (name: string, given: Partial<Size>): Named => ({
  name,
  size: sizeOf(given),
});

/** Together some seconds. */
const small: Named[] = [
  named('a slice message comes twice, and a worker dies', { records: a, budget: { crashes: 1, repeats: 1 } }),
  named('a worker dies and one freezes', { records: a, budget: { crashes: 1, freezes: 2 } }),
  named('a worker dies, and slices are lost', { budget: { crashes: 1, lostSlices: 1 } }),
  named('the next plan is written with the end of this one', { steps: 4, budget: { crashes: 1 } }),
  named('a batch of two is deleted record by record', { batchSize: 2, budget: { crashes: 1, freezes: 1 } }),
  named('the queue of events is emptied unread', { budget: { purges: 1, crashes: 1 } }),
  named('records gain and lose keys', { records: a, budget: { freezes: 1, edits: 2 }, edits: ['gain', 'lose'] }),
  named('records are taken away and put back', { records: a, budget: { edits: 2 }, edits: ['take', 'put'] }),
  named('a job fails whose workers die', { records: a, strikes: 3, budget: { crashes: 1, freezes: 1 } }),
  named('one of two records is refused, and a worker dies', { batchSize: 2, refuses: ['b'], budget: { crashes: 1 } }),
  named('every record is refused, and a worker freezes', {
    batchSize: 2,
    refuses: ['a', 'b'],
    budget: { freezes: 1 },
  }),
  named('a record is refused, a pause, and a worker dies', {
    records: a,
    refuses: ['a'],
    requests: ['pause-1'],
    budget: { crashes: 1 },
  }),
  named('a pause, and a worker dies', { records: a, requests: ['pause-1'], budget: { crashes: 1 } }),
  named('a pause, and a queue is lost', {
    records: a,
    requests: ['pause-1'],
    budget: { lostSlices: 1, lostRequests: 1 },
  }),
  named('a pause comes again', { records: a, requests: ['pause-1'], budget: { repeats: 1 } }),
  named('a cancel, and a worker freezes', { records: a, requests: ['cancel-1'], budget: { freezes: 2 } }),
  named('a cancel comes before the request', { records: a, requests: ['cancel-1'], from: 'request' }),
  named('a pause and a cancel, in any order', { records: a, requests: ['pause-1', 'cancel-2'] }),
  named('a pause and a resume, in any order', { records: a, requests: ['pause-1', 'resume-2'] }),
  named('nothing may go before it is confirmed, and a worker dies', {
    ...unconfirmed,
    requests: ['confirm-1'],
    budget: { crashes: 1 },
  }),
  named('a confirmation and a cancel, in any order', { ...unconfirmed, requests: ['confirm-1', 'cancel-2'] }),
  named('a confirmation and a resume, in any order', { ...unconfirmed, requests: ['resume-1', 'confirm-2'] }),
  named('a dry run is asked to go on, and a worker dies', {
    records: a,
    from: 'request',
    begins: 'dry-run',
    requests: ['resume-1', 'confirm-2'],
    budget: { crashes: 1 },
  }),
];

/** Minutes, and some gigabytes. */
const large: Named[] = [
  named('two records, a death, a freeze and a lost slice', { budget: { crashes: 1, freezes: 2, lostSlices: 1 } }),
  named('three records, the next plan with the end of this one', {
    records: { ...a, b: ['kb'], c: ['kc'] },
    steps: 4,
    budget: { crashes: 1, freezes: 2 },
  }),
  named('a batch of two, a cancel, a death and a freeze', {
    batchSize: 2,
    requests: ['cancel-1'],
    budget: { crashes: 1, freezes: 2 },
  }),
  named('two records are taken away and put back, and a worker dies', {
    budget: { crashes: 1, edits: 2 },
    edits: ['take', 'put'],
  }),
  named('records gain and lose keys before a frozen worker wakes', {
    records: a,
    budget: { freezes: 2, edits: 2, repeats: 1 },
    edits: ['gain', 'lose'],
  }),
  named('the second of three records is refused, a death and a freeze', {
    records: { ...a, b: ['kb'], c: ['kc'] },
    batchSize: 2,
    steps: 4,
    refuses: ['b'],
    budget: { crashes: 1, freezes: 1 },
  }),
  named('a pause, a death, and queues are lost', {
    records: a,
    requests: ['pause-1'],
    budget: { crashes: 1, lostSlices: 1, lostRequests: 1 },
  }),
  named('a cancel and the request, in any order, a death and a freeze', {
    records: a,
    requests: ['cancel-1'],
    from: 'request',
    budget: { crashes: 1, freezes: 1 },
  }),
  named('nothing may go before it is confirmed, a worker dies, and a slice comes twice', {
    ...unconfirmed,
    requests: ['confirm-1'],
    budget: { crashes: 1, repeats: 1 },
  }),
  named('a pause, a resume and a cancel, in any order', { records: a, requests: ['pause-1', 'resume-2', 'cancel-3'] }),
];

/** `MODEL=large npm run jest -- --selectProjects unit --testPathPatterns deleter/test/model` */
export const sizes = process.env['MODEL'] === 'large' ? [...small, ...large] : small;
