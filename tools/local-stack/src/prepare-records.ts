import { Records } from './demo/records.adapter.js';
import type { LocalStack } from './local-stack.js';

/** Gives a records database of ours the indexes the default resource needs; somebody's own is left as it is. */
export async function prepareRecords({ mongodb }: Pick<LocalStack, 'mongodb'>): Promise<void> {
  if (!mongodb.recordsAreOurs) return;
  const records = await Records.open(mongodb.recordsUrl);
  try {
    await records.createIndexes();
  } finally {
    await records.close();
  }
}
