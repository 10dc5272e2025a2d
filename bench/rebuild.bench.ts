import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type LocalStack, startLocalStack } from '@expunge/local-stack';
import { MongoClient } from 'mongodb';
import { Command, repositoryRoot } from '../test/support/command.js';
import { ResidentMemory, residentMegabytes } from '../test/support/resident-memory.js';
import { writeLedger } from './ledger-of-many-jobs.js';
import { record } from './results.js';

const EVENTS = Number(process.env['EVENTS'] ?? 1_000_000);

let stack: LocalStack;
let client: MongoClient;
beforeAll(async () => {
  stack = await startLocalStack({ env: {} });
  client = new MongoClient(stack.mongodb.url);
}, 120_000);
afterAll(async () => {
  await client.close();
  await stack.stop();
}, 60_000);

/** As the script starts it, so that it is the command's own process that is looked at. */
function startRebuild() {
  const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    scripts: { rebuild: string };
  };
  const [, ...args] = scripts.rebuild.split(' ');
  const env = { ...process.env, NODE_OPTIONS: '', MONGODB_URL: stack.mongodb.url, DATABASE_PREFIX: 'bench-' };
  const child = spawn(process.execPath, args, { cwd: repositoryRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
  return { pid: child.pid ?? 0, command: new Command(child) };
}

it(`rebuild of ${EVENTS} events`, async () => {
  const { jobs } = await writeLedger(client.db('bench-monitor'), EVENTS);
  const { pid, command } = startRebuild();
  await command.line(/^folding about/);
  const before = residentMegabytes(pid);
  const memory = new ResidentMemory([{ name: 'rebuild', process: { pid } }]);
  const { code, last } = await command.json();
  const { rebuild: most = 0 } = memory.stop();
  expect({ code, last }).toMatchObject({ code: 0, last: { events: EVENTS, jobs, different: 0, repaired: 0 } });
  const resident = { resident_mb: most, grown_by_mb: most - before };
  record('rebuild', { ...(last as object), ...resident });
}, 1_800_000);
