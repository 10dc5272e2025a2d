import { expect, test } from '@jest/globals';
import { deletionEventId, requestRefusedId } from './deletion-events.js';
import { jobCompletedId, jobExpiredId, jobRemovedId } from './job-events.js';
import { purgeEventId } from './object-events.js';
import { deleteRequestedId } from './requests.js';
import { sliceId } from './worker-messages.js';

const again = { job: 'j', batch: 2, positions: [[0, 3] as [number, number]], what: 'again' as const };
const plain = (text: string) => `#${text}`;

/** Another release must derive the same id, or what is sent twice is taken for two. */
test.each([
  ['a delete request', deleteRequestedId('j'), 'j:delete-requested'],
  ['an event of the deleter', deletionEventId('j', 7), 'j:7'],
  ['a refusal', requestRefusedId('r', 'abc'), 'r:refused:abc'],
  ['a completion', jobCompletedId('j', 7), 'j:completed:7'],
  ['an expiry', jobExpiredId('j', 9), 'j:expired:9'],
  ['a removal', jobRemovedId('j', '2026-11-23T10:00:00.000Z'), 'j:removed:2026-11-23T10:00:00.000Z'],
  ['a slice', sliceId('j', 0, 3), 'j:slice:0:3'],
  ['purged objects', purgeEventId({ ...again, what: 'purged' }, plain), 'j:2:purged:#0-3|'],
  ['a retry copy', purgeEventId({ ...again, detail: '1|since' }, plain), 'j:2:again:#0-3|1|since'],
])('the id of %s is derived for ever as it is now', (_, id, derived) => {
  expect(id).toBe(derived);
});
