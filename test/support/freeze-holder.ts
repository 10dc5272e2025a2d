import { type Service, until } from '@expunge/local-stack';
import type { System } from './system.js';

/** Freezes the deleter that has a batch of the job under way. That it has is certain: once frozen, it writes nothing. */
export async function freezeHolder(system: System, job: string): Promise<Service> {
  let frozen: Service | undefined;
  await until('a deleter frozen with a batch under way', () => tryOnce(), 30_000);
  if (!frozen) throw new Error('none is frozen');
  return frozen;

  async function tryOnce(): Promise<boolean> {
    const before = await system.planOf(job);
    const holder = system.services.of('deleter').find(({ name }) => name === before?.instance);
    if (!holder) return false;
    holder.process.freeze();
    // Twice, since a write may have been on its way.
    const [after, later] = [await system.planOf(job), await system.planOf(job)];
    const isHolder = after?.instance === holder.name && later?.until.getTime() === after.until.getTime();
    if (isHolder) frozen = holder;
    else holder.process.thaw();
    return isHolder;
  }
}
