import type { ResourceCheck, ResourceDefinition } from '@expunge/contracts';
import { TransientError } from '@expunge/messaging';
import { createCommand } from './records/indexes.js';
import type { KeySample, ResourceProbe } from './records/resource-probe.repository.js';

type Found = Pick<ResourceCheck, 'ok' | 'detail'>;

/** Whether the records of a resource can be deleted as it is defined. Deletes nothing. */
export class ResourceCheckService {
  constructor(
    private readonly probe: ResourceProbe,
    private readonly resources: ReadonlyMap<string, ResourceDefinition>,
  ) {}

  /** Never rejects: what could not be found out says why. */
  async check(name: string): Promise<ResourceCheck[]> {
    const resource = this.resources.get(name);
    if (!resource) return [{ check: 'readable', ok: false, detail: `this deleter has no resource ${name}` }];
    const looks: [ResourceCheck['check'], () => Promise<Found>][] = [
      ['readable', () => this.probe.tryRead(resource).then(() => ({ ok: true, detail: 'a record was looked for' }))],
      ['deletable', () => this.probe.tryDelete(resource).then(() => ({ ok: true, detail: 'a delete was permitted' }))],
      ['indexes', async () => indexesFound(resource, await this.probe.missingIndexes(resource))],
      ['keys', async () => keysFound(resource, await this.probe.sampleKeys(resource))],
    ];
    return Promise.all(looks.map(async ([check, look]) => ({ check, ...(await look().catch(failure)) })));
  }
}

function indexesFound(
  resource: ResourceDefinition,
  missing: Awaited<ReturnType<ResourceProbe['missingIndexes']>>,
): Found {
  if (missing.length === 0) return { ok: true, detail: 'each index that deleting needs is there' };
  return { ok: false, detail: `missing: ${missing.map((keys) => createCommand(resource, keys)).join('; ')}` };
}

/** Of the keys of some records, how many a job would not purge. */
export function keysFound({ keyPrefix }: ResourceDefinition, { records, keys, outside, unreadable }: KeySample): Found {
  const seen = `${keys} keys of ${records} records`;
  const wrong = [
    outside > 0 && `${outside} of ${seen} do not begin with ${keyPrefix}: a job leaves those records, and says so`,
    unreadable > 0 && `${unreadable} of ${records} records hold something else where a key should be, and are left`,
  ].filter((text) => text !== false);
  if (wrong.length > 0) return { ok: false, detail: wrong.join('; ') };
  return { ok: true, detail: keyPrefix === null ? `${seen}; any key is allowed` : `${seen} begin with ${keyPrefix}` };
}

/** A refusal is an answer; that nobody answered says nothing of the resource. */
function failure(error: unknown): Found {
  const {
    code = 'ERROR',
    codeName,
    message,
  } = error as { code?: string | number; codeName?: string; message?: string };
  const name = codeName ?? code;
  return { ok: error instanceof TransientError ? null : false, detail: `${name}: ${message ?? String(error)}` };
}
