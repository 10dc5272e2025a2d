import type { Command } from 'commander';
import { Api } from './api.adapter.js';
import { connectionOf } from './connection.js';
import type { ExitCode } from './exit-code.js';
import { UsageError } from './usage-error.js';

export interface GlobalOptions {
  readonly api?: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly stackFile: string;
}

/** What a command works with. */
export interface Context {
  readonly api: Api;
  readonly isJson: boolean;
  /** What the API answered, or the same for people. */
  readonly show: (answer: unknown, text: string) => void;
}

export type Run<Args extends unknown[]> = (context: Context, ...args: Args) => Promise<ExitCode>;

/** A commander action of a command that ends with an exit code. */
export function action<Args extends unknown[]>(run: Run<Args>): (...args: [...Args, Command]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const { api, token, json: isJson = false, stackFile } = command.optsWithGlobals<GlobalOptions>();
    const show = (answer: unknown, text: string) => console.log(isJson ? JSON.stringify(answer) : text);
    try {
      const connection = connectionOf({ api, token }, process.env, stackFile);
      process.exitCode = await run({ api: new Api(connection), isJson, show }, ...(all.slice(0, -1) as Args));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      command.error(`error: ${error.message}`);
    }
  };
}
