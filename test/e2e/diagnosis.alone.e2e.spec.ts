import { expectNamed } from '../faults/diagnosis/expect-named.js';
import { allFaults, isOfLongForm } from '../faults/diagnosis/matrix.js';

/** `ONLY_FAULTS='frozen|killed'` tries those alone, of all there are. */
const only = process.env['ONLY_FAULTS'];

expectNamed(
  allFaults.filter((fault) => (only === undefined ? !isOfLongForm(fault) : new RegExp(only).test(fault.name))),
  'diagnosis',
);
