import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type StackFile, until } from '@expunge/local-stack';

export const repositoryRoot = join(import.meta.dirname, '..', '..');

const ofOurs = /^(RABBITMQ_(?!IMAGE$)|MONGODB_URL$|RECORDS_MONGODB_URL$|S3_|JWT_|NODE_OPTIONS$|npm_)/;

/** A clone as far as the commands know one: the same build, but runs, lock and stack.json of its own. */
export class Clone {
  readonly root = mkdtempSync(join(tmpdir(), 'expunge-clone-'));
  readonly stackFile = join(this.root, '.local', 'stack.json');
  readonly #temporary = join(this.root, 'tmp');
  readonly #commands: Command[] = [];

  constructor() {
    mkdirSync(join(this.root, '.local'));
    mkdirSync(this.#temporary);
    symlinkSync(join(repositoryRoot, 'services'), join(this.root, 'services'));
    // What was fetched once for the repository is not fetched again.
    mkdirSync(join(repositoryRoot, '.local', 'cache'), { recursive: true });
    symlinkSync(join(repositoryRoot, '.local', 'cache'), join(this.root, '.local', 'cache'));
  }

  run(script: 'demo' | 'start', args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Command {
    const file = join(repositoryRoot, 'tools', 'local-stack', 'dist', `${script}.js`);
    const child = spawn(process.execPath, [file, '--root', this.root, ...args], {
      env: { ...cleanEnvironment(), TMPDIR: this.#temporary, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const command = new Command(child);
    this.#commands.push(command);
    return command;
  }

  /** What stack.json says, if it is there. */
  stack(): StackFile | null {
    return existsSync(this.stackFile) ? (JSON.parse(readFileSync(this.stackFile, 'utf8')) as StackFile) : null;
  }

  /** Every process that a command of this clone has started, by what it is called with or lives in. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`), environment: read(`/proc/${pid}/environ`) }))
      .filter(({ command, environment }) => `${command}${environment}`.includes(this.root))
      .map(({ pid, command }) => `${pid} ${command.replaceAll('\0', ' ').slice(0, 100)}`);
  }

  /** Folders with data, logs or sockets of a run. */
  runFolders(): string[] {
    const runs = readdirSync(join(this.root, '.local')).filter((name) => name.startsWith('run-'));
    return [...runs, ...readdirSync(this.#temporary)];
  }

  /** Both: nothing may outlive a command by more than the moment its guard needs. */
  async untilNothingIsLeft(): Promise<void> {
    const left = () => [...this.processes(), ...this.runFolders()];
    await until('the end of every process and folder', () => left().length === 0, 5_000).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}: ${left().join('\n')}`);
    });
  }

  async remove(): Promise<void> {
    for (const command of this.#commands) command.signal('SIGKILL');
    await Promise.all(this.#commands.map((command) => command.ended));
    await this.untilNothingIsLeft().finally(() => rmSync(this.root, { recursive: true, force: true }));
  }
}

/** A command under way, as the terminal it runs in sees it. */
export class Command {
  readonly lines: string[] = [];
  /** The exit code, or the signal it died of. */
  readonly ended: Promise<number | string | null>;
  #over = false;

  constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => this.lines.push(line));
    }
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#over = true;
      return (code ?? signal) as number | string | null;
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get output(): string {
    return this.lines.join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** @throws Error with the output when it ends without such a line, or has none in time */
  async line(pattern: RegExp, within = 60_000): Promise<RegExpExecArray> {
    const found = () => this.lines.map((line) => pattern.exec(line)).find((match) => match !== null);
    await until(String(pattern), () => this.#over || found() !== undefined, within).catch(() => undefined);
    const match = found();
    if (!match) throw new Error(`no line ${String(pattern)} in:\n${this.output}`);
    return match;
  }

  async json(): Promise<{ code: number | string | null; last: unknown }> {
    const code = await this.ended;
    const last = this.lines.at(-1) ?? '';
    if (!last.startsWith('{')) throw new Error(`the last line is no JSON:\n${this.output}`);
    return { code, last: JSON.parse(last) as unknown };
  }
}

/** What a script of package.json prints. */
export async function npmRun(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd: repositoryRoot, env: { ...cleanEnvironment(), ...env }, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', script, '--', ...args], options);
  return stdout.trim();
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofOurs.test(name)));
}

function read(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  } catch {
    return '';
  }
}
