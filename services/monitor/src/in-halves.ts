import { TransientError } from '@expunge/messaging';

/**
 * Works on a group at once. One that fails is halved until the member that cannot be worked on stands alone: its
 * neighbours are not parked for it. A store that is away fails them all.
 */
export async function inHalves<T extends { reject(error: unknown): void }>(
  group: readonly T[],
  work: (part: readonly T[]) => Promise<void>,
): Promise<void> {
  try {
    await work(group);
  } catch (error) {
    if (group.length > 1 && !(error instanceof TransientError)) {
      const half = Math.ceil(group.length / 2);
      await inHalves(group.slice(0, half), work);
      await inHalves(group.slice(half), work);
      return;
    }
    for (const member of group) member.reject(error);
  }
}
