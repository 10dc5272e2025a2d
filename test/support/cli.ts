import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from './command.js';
import type { ShownJob, System } from './system.js';

const main = join(repositoryRoot, 'tools', 'cli', 'dist', 'main.js');

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line as one tenant uses it. */
export class Cli {
  private constructor(
    readonly tenant: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async of(system: System, tenant = system.newTenant(), api = system.services.of('api')[0]!.url): Promise<Cli> {
    const { authorization } = await system.authorization(tenant);
    const token = authorization.replace('Bearer ', '');
    return new Cli(tenant, { ...process.env, EXPUNGE_API: api, EXPUNGE_TOKEN: token });
  }

  readonly run = (...args: string[]): Promise<Ended> => this.execute(process.execPath, [main, ...args]);

  /** With `--json`; its last line. @throws Error with what it says, if it does not end with 0 */
  readonly json = async <T = ShownJob>(...args: string[]): Promise<T> => {
    const { code, out, err } = await this.run('--json', ...args);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${err}`);
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as T;
  };

  /** On a terminal, as wide as most: all that it writes there. */
  readonly onTerminal = (...args: string[]): Promise<Ended> => {
    const command = [process.execPath, main, ...args].map((part) => `'${part}'`).join(' ');
    return this.execute('script', ['-qec', `stty cols 160 && exec ${command}`, '/dev/null']);
  };

  private execute(file: string, args: string[]): Promise<Ended> {
    return new Promise((resolve) => {
      const child = execFile(file, args, { env: this.env, timeout: 90_000 }, (_error, out, err) => {
        resolve({ code: child.exitCode ?? -1, out, err });
      });
    });
  }
}
