import { Command } from 'commander';
import { Bucket } from './demo/bucket.adapter.js';
import { fillTenant } from './demo/fill-tenant.js';
import { describeFilling } from './demo/progress-text.js';
import { Records } from './demo/records.adapter.js';
import { syntheticReceipts } from './demo/synthetic-receipts.js';
import { givenParts } from './environment.js';
import { interruption } from './interruption.js';
import { wholeNumber } from '@expunge/cli';

const program: Command = new Command('fill')
  .description('Gives a tenant made-up receipts with files, and the collection the indexes Expunge needs.')
  .option('--tenant <tenant>', 'whose they are', 'demo')
  .option('--records <n>', 'how many receipts', wholeNumber(1, 10_000_000), 2_000)
  .option('--objects-per-record <n>', 'how many files each', wholeNumber(0, 1_000), 2)
  .allowExcessArguments(false)
  .parse();
const {
  tenant,
  records: count,
  objectsPerRecord,
} = program.opts<{
  tenant: string;
  records: number;
  objectsPerRecord: number;
}>();

const { recordsMongodb, s3 } = givenParts(process.env);
if (recordsMongodb === undefined || s3 === undefined) {
  program.error('RECORDS_MONGODB_URL and S3_ENDPOINT have to be set');
}
const ending = new AbortController();
void interruption().then(() => ending.abort(new Error('interrupted')));
const records = await Records.open(recordsMongodb);
const bucket = new Bucket(s3);
try {
  await records.createIndexes();
  const filled = { records: 0, objects: 0 };
  const source = syntheticReceipts(count, objectsPerRecord);
  await fillTenant(tenant, source, { records, bucket, filled, signal: ending.signal });
  console.log(`${tenant} has ${describeFilling(filled)} more`);
} catch (error) {
  console.error(`fill: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await records.close();
  bucket.close();
}
