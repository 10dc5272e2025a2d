import { readFileSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/** Where the API is, and as whom it is asked. */
export interface Connection {
  readonly api: string;
  readonly token: string;
}

export interface Given {
  readonly api?: string | undefined;
  readonly token?: string | undefined;
}

/**
 * Address and token from the command line, else `EXPUNGE_API` and `EXPUNGE_TOKEN`; without either of the two, both
 * from what a running `npm start` wrote. Never one from here and one from there: a token goes to whom it is for.
 *
 * @throws UsageError that names what is missing
 */
export function connectionOf(given: Given, env: NodeJS.ProcessEnv, stackFile: string): Connection {
  const api = given.api ?? env['EXPUNGE_API'];
  const token = given.token ?? env['EXPUNGE_TOKEN'];
  if (api === undefined && token === undefined) return ofStack(stackFile);
  if (api === undefined) throw new UsageError('EXPUNGE_API is not set (or --api): where is the API?');
  if (token === undefined) throw new UsageError('EXPUNGE_TOKEN is not set (or --token): as whom is it asked?');
  return { api: baseOf(api), token };
}

function ofStack(file: string): Connection {
  let stack: Partial<Connection>;
  try {
    stack = JSON.parse(readFileSync(file, 'utf8')) as Partial<Connection>;
  } catch {
    throw new UsageError(`EXPUNGE_API and EXPUNGE_TOKEN are not set, and no \`npm start\` runs here (${file})`);
  }
  if (typeof stack.api !== 'string' || typeof stack.token !== 'string')
    throw new UsageError(`${file} has no api and token`);
  return { api: stack.api, token: stack.token };
}

/** With a path in front of `/api`, if there is one. */
function baseOf(api: string): string {
  const url = URL.canParse(api) ? new URL(api) : null;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError(`EXPUNGE_API must be an http or https URL, not "${api}"`);
  return url.origin + url.pathname.replace(/\/(api\/?)?$/, '');
}
