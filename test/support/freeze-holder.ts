import { type Service, until } from '@expunge/local-stack';
import type { System } from './system.js';

/**
 * Freezes the deleter that has a batch of the job under way, of which nothing is deleted yet: what it does next, whenever
 * it wakes up, is the delete. That this is so is certain, because once frozen it writes nothing.
 */
export async function freezeHolder(system: System, job: string): Promise<Service> {
  let frozen: Service | undefined;
  await until('a deleter frozen with a batch under way', () => tryOnce(), 60_000);
  if (!frozen) throw new Error('none is frozen');
  return frozen;

  async function tryOnce(): Promise<boolean> {
    const plan = await system.planOf(job);
    const holder = system.services.of('deleter').find(({ name }) => name === plan?.instance);
    if (!holder) return false;
    holder.process.freeze();
    // Twice, since a write or the delete may have been on its way.
    const isHolder = (await isAboutToDelete(holder.name)) && (await isAboutToDelete(holder.name));
    if (isHolder) frozen = holder;
    else holder.process.thaw();
    return isHolder;
  }

  async function isAboutToDelete(name: string): Promise<boolean> {
    const plan = await system.planOf(job);
    if (plan?.instance !== name) return false;
    return (await system.receipts.countDocuments({ _id: { $in: plan.ids } })) === plan.ids.length;
  }
}
