import type { ResourceCheck } from '@expunge/contracts';
import type { Refusal, Versioning } from '../object-store/object-store.js';

/** What stands in the way of purging, by what the bucket said when it was asked whether it answers, and keeps versions. */
export function bucketChecks(
  refusal: Refusal | null,
  versioning: Versioning | Refusal,
  name: string | undefined,
): ResourceCheck[] {
  return [bucketCheck(refusal, name === undefined ? 'the bucket' : `the bucket ${name}`), versioningCheck(versioning)];
}

function bucketCheck(refusal: Refusal | null, bucket: string): ResourceCheck {
  if (refusal === null) return { check: 'bucket', ok: true, detail: `${bucket} answers and lets us in` };
  return { check: 'bucket', ok: false, detail: said(refusal) };
}

function versioningCheck(versioning: Versioning | Refusal): ResourceCheck {
  if (versioning === 'off') return { check: 'versioning', ok: true, detail: 'the bucket keeps no versions' };
  if (versioning === 'on' || versioning === 'suspended') {
    const detail = `versioning is ${versioning}: a delete hides an object, and its versions stay until a lifecycle rule takes them`;
    return { check: 'versioning', ok: false, detail };
  }
  return { check: 'versioning', ok: null, detail: said(versioning) };
}

const said = ({ code, message }: Refusal): string => `${code}: ${message}`;
