import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { Management, startLocalStack } from '@expunge/local-stack';
import { record, recordVersions } from './results.js';
import { type Fill, makeFill, removeFill } from './throughput/fill.js';
import { runExpunge } from './throughput/run-expunge.js';
import { runFloor, runOriginal } from './throughput/run-contestant.js';
import { type BucketKind, buckets, type Contestant, contestants, type Run, type Subject } from './throughput/run.js';

const RECORDS = Number(process.env['RECORDS'] ?? 50_000);
const TURNS = Number(process.env['TURNS'] ?? 3);

/** Comma-separated in the environment; all of them without it. */
function wanted<T extends string | number>(name: string, all: readonly T[]): T[] {
  const given = process.env[name]?.split(',');
  return all.filter((one) => given?.includes(String(one)) ?? true);
}
const WHO = wanted<Contestant>('CONTESTANTS', contestants);

interface Part {
  bucket: BucketKind;
  files: number;
  records: number;
  turns: number;
  /** Of the original's way, which makes one call a record: a rate is told of fewer as well as of more. */
  original: { records: number; warmUp?: number; turns: number };
}

const longest = Math.min(RECORDS, 1000);
const parts: Part[] = [
  {
    bucket: 'instant',
    files: 0,
    records: RECORDS,
    turns: 3,
    original: { records: RECORDS, turns: 3 },
  },
  {
    bucket: 'instant',
    files: 1,
    records: RECORDS,
    turns: 3,
    original: { records: RECORDS, turns: 3 },
  },
  {
    bucket: 'instant',
    files: 3,
    records: RECORDS,
    turns: 3,
    original: { records: RECORDS, turns: 1 },
  },
  ...[1, 3].flatMap((files): Part[] => [
    { bucket: 'remote', files, records: RECORDS, turns: 2, original: { records: longest, warmUp: 20, turns: 1 } },
    {
      bucket: 'simulator',
      files,
      records: Math.min(RECORDS, 5000),
      turns: 2,
      original: { records: Math.min(RECORDS, 5000), turns: 1 },
    },
  ]),
];

const run: Record<Contestant, (subject: Subject, fill: Fill) => Promise<Run>> = {
  floor: (subject, fill) => runFloor(subject, fill),
  original: (subject, fill) => runOriginal(subject, fill),
  'expunge-1': (subject, fill) => runExpunge(subject, fill, 1),
  'expunge-2': (subject, fill) => runExpunge(subject, fill, 2),
};

beforeAll(async () => {
  const stack = await startLocalStack({ env: {} });
  const client = await MongoClient.connect(stack.mongodb.url);
  const { version } = await client.db().admin().serverInfo();
  await client.close();
  const overview = await new Management(stack.rabbitmq.managementUrl).call('GET', '/api/overview');
  await stack.stop();
  const { rabbitmq_version: rabbitmq, erlang_version: erlang } = JSON.parse(overview) as Record<string, string>;
  recordVersions({ mongodb_engine: String(version), rabbitmq: String(rabbitmq), erlang: String(erlang) });
}, 120_000);

const chosen = parts.filter(
  ({ bucket, files }) =>
    wanted('BUCKETS', buckets).includes(bucket) && wanted<number>('FILES', [0, 1, 3]).includes(files),
);

describe.each(chosen)('a bucket of the kind $bucket, $files files a record', ({ bucket, files, ...part }) => {
  const inSimulator = bucket === 'simulator';
  let fills: { all: Fill; original: Fill };
  beforeAll(async () => {
    const all = await makeFill({ records: part.records, files, inSimulator });
    const isSame = part.original.records === part.records || !WHO.includes('original');
    const original = isSame ? all : await makeFill({ ...part.original, files, inSimulator });
    fills = { all, original };
  }, 600_000);
  afterAll(() => {
    for (const fill of new Set(Object.values(fills))) removeFill(fill);
  });

  it(`${WHO.join(', ')}, in turns`, async () => {
    for (let turn = 1; turn <= Math.min(part.turns, TURNS); turn++) {
      for (const contestant of WHO) {
        if (contestant === 'original' && turn > part.original.turns) continue;
        const fill = contestant === 'original' ? fills.original : fills.all;
        const done = await run[contestant]({ contestant, bucket, files, turn }, fill);
        expect(done).toMatchObject({ records: fill.measured.records, objects: fill.measured.keys.length });
        const { records_per_second: rate, seconds } = done;
        record('throughput', done, `${bucket}, ${files} files, turn ${turn}, ${contestant}: ${rate}/s, ${seconds} s`);
      }
    }
  }, 3_600_000);
});
