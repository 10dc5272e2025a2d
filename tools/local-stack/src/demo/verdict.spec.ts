import { expect, it } from '@jest/globals';
import { type Outcome, shortcomings } from './verdict.js';

const good: Outcome = {
  records: 5,
  objects: 10,
  deleted: 5,
  purged: 10,
  remaining_records: 0,
  remaining_objects: 0,
  other_tenant_intact: true,
  seconds: 1,
};

it('finds nothing wrong when everything of one tenant is gone and nothing of the other', () => {
  expect(shortcomings('completed', good)).toEqual([]);
});

it.each<[string, Partial<Outcome>, string]>([
  ['completed_with_residue', {}, 'the job ended as completed_with_residue, not completed'],
  ['completed', { remaining_records: 1 }, 'the database still has 1 record of the tenant'],
  ['completed', { remaining_objects: 2 }, 'the bucket still has 2 objects of the tenant'],
  ['completed', { other_tenant_intact: false }, 'the other tenant has lost something'],
  ['completed', { deleted: 4 }, 'the API reports 4 deleted records, there were 5'],
  ['completed', { purged: 11 }, 'the API reports 11 purged objects, there were 10'],
])('%s with %j: %s', (status, change, wrong) => {
  expect(shortcomings(status, { ...good, ...change })).toEqual([wrong]);
});
