import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { ReceiptSource } from './demo/receipt.js';
import { receiptFolder } from './demo/receipt-folder.js';
import { runDemo } from './demo/run-demo.js';
import { syntheticReceipts } from './demo/synthetic-receipts.js';
import { type LocalStack, startLocalStack } from './local-stack.js';
import { wholeNumber } from '@expunge/cli';
import { repositoryRoot } from './paths.js';
import { type Services, startServices } from './services/start-services.js';
import { newSecret } from './token.js';
import { interruption } from './interruption.js';

const program = new Command('npm run demo --')
  .description('Deletes the receipts of one tenant on a system of its own, and checks that nothing is left of them.')
  .option('--records <n>', 'how many receipts (default: 2000, or all of the folder)', wholeNumber(1, 10_000_000))
  .addOption(
    new Option('--objects-per-record <n>', 'how many files each')
      .argParser(wholeNumber(0, 1_000))
      .default(2)
      .conflicts('receipts'),
  )
  .option('--receipts <dir>', 'real receipts: key/*.json are the records, box/*.csv and img/*.jpg their files')
  .option('--json', 'prints the outcome as JSON in the last line')
  .option('--keep', 'stays up until Ctrl-C')
  .addOption(new Option('--root <folder>', 'the clone whose services are run').default(repositoryRoot).hideHelp())
  .allowExcessArguments(false)
  .parse();

interface DemoCommand {
  readonly records?: number;
  readonly objectsPerRecord: number;
  readonly receipts?: string;
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly root: string;
}

const otherRecords = 200;
const interrupted = interruption();
// Until something has to be put in order first: the guard ends what runs and removes its files when we are gone.
let onInterruption = (): void => process.exit(130);
void interrupted.then(() => onInterruption());

async function demo(command: DemoCommand): Promise<boolean> {
  const { records, objectsPerRecord, receipts, root } = command;
  const folder = receipts === undefined ? null : receiptFolder(receipts, records);
  const source = folder ?? syntheticReceipts(records ?? 2_000, objectsPerRecord);
  if (folder?.remarks) say(folder.remarks);
  say('starting RabbitMQ, MongoDB and the bucket');
  const stack = await startLocalStack({ root, say });
  try {
    return await onStack(stack, source, command);
  } finally {
    await stack.stop();
  }
}

async function onStack(stack: LocalStack, source: ReceiptSource, command: DemoCommand): Promise<boolean> {
  const { objectsPerRecord, keep = false, root } = command;
  const jwtSecret = newSecret();
  const outlived = !(stack.mongodb.recordsAreOurs && stack.s3.server);
  const ending = new AbortController();
  if (outlived) onInterruption = () => ending.abort(new Error('interrupted'));
  say(`starting the services (their logs: ${stack.run.logs})`);
  const running: { services?: Services } = {};
  // However many records it is given, nobody is there to confirm.
  const env = { CONFIRM_ABOVE: '1000000000', ...process.env };
  const demo = runDemo(stack, {
    source,
    otherSource: syntheticReceipts(Math.min(otherRecords, source.records), objectsPerRecord),
    jwtSecret,
    startServices: async () =>
      (running.services = await startServices({ stack, jwtSecret, root, log: 'files', env, say })),
    tidy: outlived && !keep,
    signal: ending.signal,
  });
  const { outcome, wrong, api, token } = await demo.catch((error: unknown) => {
    if (ending.signal.aborted) process.exit(130);
    keepLogs(stack, root);
    throw error;
  });
  if (wrong.length > 0) keepLogs(stack, root);
  if (command.json) console.log(JSON.stringify(outcome));
  if (keep) {
    onInterruption = () => undefined;
    console.error(`kept running until Ctrl-C: ${api}/api\n  Authorization: Bearer ${token}`);
    await interrupted;
  }
  await running.services?.stop();
  return wrong.length === 0;
}

/** The run's folder goes with the run; what says why it failed does not. */
function keepLogs({ run }: LocalStack, root: string): void {
  const logs = join(root, '.local', `${run.id}-logs`);
  cpSync(run.logs, logs, { recursive: true });
  say(`logs: ${logs}`);
}

function say(line: string): void {
  console.log(`expunge: ${line}`);
}

try {
  process.exit((await demo(program.opts<DemoCommand>())) ? 0 : 1);
} catch (error) {
  console.error(`expunge: ${(error as Error).message}`);
  process.exit(1);
}
