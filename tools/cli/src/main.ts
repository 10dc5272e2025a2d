#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { ProblemAnswer, Unreachable } from './api.adapter.js';
import { addDiagnose } from './commands/diagnose.js';
import { addDoctor } from './commands/doctor.js';
import { addJobs } from './commands/jobs.js';
import { addParked } from './commands/parked.js';
import { exitCode, type ExitCode } from './exit-code.js';
import { printable } from './text.js';

const stackFile = fileURLToPath(new URL('../../../.local/stack.json', import.meta.url));

const program = new Command('expunge')
  .description('Deletes records, and every file they own, over the HTTP API of Expunge.')
  .option('--api <url>', 'where it is (EXPUNGE_API)')
  .option('--token <jwt>', 'as whom it is asked; others see the command line, so rather EXPUNGE_TOKEN')
  .option('--json', 'what the API answers, for programs')
  .addOption(new Option('--stack-file <file>', 'what `npm start` wrote').default(stackFile).hideHelp())
  .exitOverride();
addJobs(program);
addDiagnose(program);
addDoctor(program);
addParked(program);

function failed(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  if (error instanceof ProblemAnswer) {
    const { errors, trace_id: trace } = error.problem;
    const json = program.opts<{ json?: boolean }>().json === true;
    console.error(json ? JSON.stringify(error.problem) : `expunge: ${printable(error.message)}`);
    for (const one of !json && Array.isArray(errors) ? errors : [])
      console.error(`  ${printable(JSON.stringify(one))}`);
    if (!json && trace !== undefined) console.error(`  trace ${printable(trace)}`);
    return error.isForNow ? exitCode.unavailable : exitCode.refused;
  }
  if (!(error instanceof Unreachable)) throw error;
  console.error(`expunge: ${printable(error.message)}`);
  return exitCode.unavailable;
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = failed(error);
}
