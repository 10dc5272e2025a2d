import { join } from 'node:path';
import { Command, Option } from 'commander';
import { wholeNumber } from '@expunge/cli';
import { repositoryRoot } from './paths.js';
import { type StartOptions, runUntilInterrupted } from './run-until-interrupted.js';

const program = new Command('npm start --')
  .description('Runs the whole system on this machine until Ctrl-C; .local/stack.json says where it is.')
  .option('--apis <n>', 'how many api processes', wholeNumber(1, 20), 1)
  .option('--deleters <n>', 'how many deleter processes', wholeNumber(0, 20), 1)
  .option('--cleaners <n>', 'how many storage-cleaner processes', wholeNumber(0, 20), 1)
  .option('--monitors <n>', 'how many monitor processes', wholeNumber(1, 20), 1)
  .addOption(new Option('--root <folder>', 'the clone whose services are run').default(repositoryRoot).hideHelp())
  .allowExcessArguments(false)
  .parse();

try {
  const options = program.opts<Omit<StartOptions, 'stackFile'>>();
  await runUntilInterrupted({ ...options, stackFile: join(options.root, '.local', 'stack.json') });
  process.exit(0);
} catch (error) {
  console.error(`expunge: ${(error as Error).message}`);
  process.exit(1);
}
