import { dirname, join } from 'node:path';
import { type LocalStack, startLocalStack } from './local-stack.js';
import { tryLock } from './process/pid-lock.js';
import { type Services, startServices } from './services/start-services.js';
import { prepareRecords } from './prepare-records.js';
import { describeStack, readStackFile, removeStackFile, writeStackFile } from './stack-file.js';
import { summaryOf } from './summary.js';
import { newSecret, signToken } from './token.js';
import { interruption } from './interruption.js';

export interface StartOptions {
  readonly root: string;
  readonly stackFile: string;
  readonly apis: number;
  readonly deleters: number;
  readonly cleaners: number;
  readonly monitors: number;
}

/** The whole system until Ctrl-C; one a clone. */
export async function runUntilInterrupted(options: StartOptions): Promise<void> {
  const { stackFile } = options;
  const lock = tryLock(join(dirname(stackFile), 'start.lock'));
  if ('heldBy' in lock) throw new Error(alreadyRunning(lock.heldBy, stackFile));
  const interrupted = interruption();
  const say = (line: string) => console.log(`expunge: ${line}`);
  const jwtSecret = process.env['JWT_SECRET'] ?? newSecret();
  const running: { stack?: LocalStack; services?: Services } = {};
  const token = await signToken(jwtSecret, 'demo');
  const publish = () => {
    const { stack, services } = running;
    if (stack && services) writeStackFile(stackFile, describeStack(stack, services, { jwtSecret, token }));
  };
  const start = async () => {
    say('starting RabbitMQ, MongoDB and the bucket');
    running.stack = await startLocalStack({ root: options.root, onPids: publish, say });
    await prepareRecords(running.stack);
    say('starting the services');
    running.services = await startServices({
      ...options,
      stack: running.stack,
      jwtSecret,
      log: 'inherit',
      onPids: publish,
      say,
    });
    publish();
    console.log(summaryOf(describeStack(running.stack, running.services, { jwtSecret, token }), stackFile));
  };
  try {
    const starting = start();
    const signal = await Promise.race([starting.then(() => interrupted), interrupted]);
    say(`${signal}: stopping`);
  } finally {
    removeStackFile(stackFile);
    const { stack, services } = running;
    delete running.services;
    await services?.stop();
    // What a start under way has started by now is not listed here: the guard ends it when this process does.
    await stack?.stop();
    lock.release();
  }
}

function alreadyRunning(pid: number, stackFile: string): string {
  const api = readStackFile(stackFile)?.api;
  const where = api === undefined ? 'it is still starting' : `its API is ${api}`;
  return `a system of this clone is running already (pid ${pid}; ${where}). Stop it first, or use that one.`;
}
