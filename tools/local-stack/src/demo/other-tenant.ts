import type { Bucket } from './bucket.adapter.js';
import { prefixOf } from './fill-tenant.js';
import type { Records } from './records.adapter.js';

/** Exactly what the tenant had who must stay whole. */
export class OtherTenant {
  readonly #ids: string[] = [];
  readonly #keys: string[] = [];

  constructor(readonly id: string) {}

  remember(id: string, keys: readonly string[]): void {
    this.#ids.push(id);
    this.#keys.push(...keys);
  }

  get size(): { records: number; objects: number } {
    return { records: this.#ids.length, objects: this.#keys.length };
  }

  /** The same records and the same objects, none missing and none more. */
  async isIntact(records: Records, bucket: Bucket): Promise<boolean> {
    const keys = await bucket.keys(prefixOf(this.id));
    return same(this.#ids, await records.ids(this.id)) && same(this.#keys, keys);
  }
}

function same(expected: readonly string[], found: readonly string[]): boolean {
  const sorted = found.toSorted();
  return expected.length === found.length && expected.toSorted().every((item, index) => item === sorted[index]);
}
