import { expect, it } from '@jest/globals';
import { expectNamed } from '../faults/diagnosis/expect-named.js';
import { allFaults, isOfLongForm } from '../faults/diagnosis/matrix.js';

const faults = allFaults.filter(isOfLongForm);

it('each fault of the long form is one there is', () => {
  expect(faults).toHaveLength(12);
});

expectNamed(faults, 'diagnosis-long');
