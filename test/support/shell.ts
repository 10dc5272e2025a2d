import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const MARK = '\u001e';

/** One shell in which block after block is run, as a person who reads a page would; what one sets, the next ones have. */
export class Shell {
  readonly #shell: ChildProcess;
  #out = '';
  #err = '';
  #heard = (): void => undefined;

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.#shell = spawn('bash', ['--norc', '--noprofile'], { cwd, env, stdio: 'pipe' });
    this.#shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
      this.#heard();
    });
    this.#shell.once('exit', () => this.#heard());
    this.#shell.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#err += text));
  }

  /** @throws Error with what it said when it fails, or says no end in time */
  async run(block: string, withinMs = 60_000): Promise<string> {
    this.#out = '';
    this.#err = '';
    this.#shell.stdin?.write(`${block}\nprintf '${MARK}%s${MARK}' "$?"\n`);
    const late = AbortSignal.timeout(withinMs);
    for (;;) {
      const [, output = '', code] = new RegExp(`^(.*)${MARK}(\\d+)${MARK}$`, 's').exec(this.#out) ?? [];
      if (code === '0') return output;
      const failed = code !== undefined || late.aborted || this.#shell.exitCode !== null;
      if (failed) throw new Error(`${block}\nended with ${code ?? 'nothing'}: ${this.#out}\n${this.#err}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async end(): Promise<void> {
    if (this.#shell.exitCode !== null) return;
    const ended = once(this.#shell, 'exit');
    this.#shell.stdin?.end();
    await ended;
  }
}
