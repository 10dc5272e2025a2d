#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { addDiagnose } from './commands/diagnose.js';
import { addDoctor } from './commands/doctor.js';
import { addJobs } from './commands/jobs.js';
import { addParked } from './commands/parked.js';
import { exitCode, type ExitCode } from './exit-code.js';
import { failureOf } from './failure.js';

const stackFile = fileURLToPath(new URL('../../../.local/stack.json', import.meta.url));

/** Also of a command line that is too wrong to be read. */
const isJson = process.argv.includes('--json');

const program = new Command('expunge')
  .description('Deletes records, and every file they own, over the HTTP API of Expunge.')
  .option('--api <url>', 'where it is (EXPUNGE_API)')
  .option('--token <jwt>', 'as whom it is asked; others see the command line, so rather EXPUNGE_TOKEN')
  .option('--json', 'what the API answers, for programs; what went wrong, too')
  .addOption(new Option('--stack-file <file>', 'what `npm start` wrote').default(stackFile).hideHelp())
  // For programs it is told once, as a problem.
  .configureOutput(isJson ? { writeErr: () => undefined } : {})
  .exitOverride();
addJobs(program);
addDiagnose(program);
addDoctor(program);
addParked(program);

function failed(error: unknown): ExitCode {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCode.done;
  const failure = failureOf(error);
  if (!failure) throw error;
  for (const line of isJson ? [JSON.stringify(failure.problem)] : failure.lines) console.error(line);
  return failure.exitCode;
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = failed(error);
}
