import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import type { Guard } from './guard.js';
import { isAlive } from './process-identity.js';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A file descriptor for both streams, or this process's own. */
  readonly output: number | 'inherit';
  /** Opens a channel on which the child can send messages. */
  readonly ipc?: boolean;
}

/** A process in a group of its own, which ends with this process whatever happens to either. */
export class GuardedProcess {
  readonly pid: number;
  /** Says how it ended: `exit code 1`, `SIGKILL`. */
  readonly exited: Promise<string>;
  readonly channel: ChildProcess;
  #running = true;

  constructor(guard: Guard, command: Command) {
    const { output } = command;
    const stdio: StdioOptions = ['ignore', output, output, 'pipe', ...(command.ipc ? ['ipc' as const] : [])];
    // The child waits for one line before it becomes the command: whoever dies in between leaves nothing unguarded.
    const gate = 'read -r go <&3 || exit 1; exec 3<&-; exec "$@"';
    const child = spawn('/bin/sh', ['-c', gate, 'expunge', command.file, ...command.args], {
      detached: true,
      stdio,
      env: command.env,
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    });
    if (child.pid === undefined) throw new Error(`cannot start ${command.file}`);
    const group = child.pid;
    guard.add(group);
    const go = child.stdio[3];
    if (go && 'end' in go) {
      go.on('error', () => undefined);
      go.end('go\n');
    }
    child.on('error', () => undefined);
    this.pid = group;
    this.channel = child;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#running = false;
        // What it had started itself is still in its group: kill -9 of a host leaves workerd listening.
        signalGroup(group, 'SIGKILL');
        guard.drop(group);
        resolve(signal ?? `exit code ${code ?? 0}`);
      });
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** To the whole group. */
  signal(signal: NodeJS.Signals): void {
    if (this.#running) signalGroup(this.pid, signal);
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  if (!isAlive(-group)) return;
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
