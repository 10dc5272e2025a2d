import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setting } from '@expunge/runtime';
import { Command, InvalidArgumentError, Option } from 'commander';
import { MIN_SECRET_BYTES, scopes, signToken, Tenant } from './auth/claims.js';

/** Prints a bearer token: `npm run token -- --tenant T --scope "jobs:read jobs:write"`. */

const stackFile = fileURLToPath(new URL('../../../.local/stack.json', import.meta.url));

const command = new Command('token')
  .description('Prints a bearer token, signed with JWT_SECRET or with the secret of the running `npm start`.')
  .requiredOption('--tenant <tenant>', 'whose records the token is for', tenant)
  .option('--scope <scopes>', `space separated, of: ${scopes.join(' ')}`, knownScopes, 'jobs:read jobs:write')
  .option('--subject <name>', 'who is shown as having requested a job')
  .addOption(expiresInOption('12h'))
  .option('--stack-file <file>', 'what `npm start` wrote', stackFile);

const options = command
  .parse()
  .opts<{ tenant: string; scope: string; subject?: string; expiresIn: number; stackFile: string }>();

const { tenant: name, scope, subject, expiresIn } = options;
const expiresAt = new Date(Date.now() + expiresIn);
const [issuer, audience] = ['JWT_ISSUER', 'JWT_AUDIENCE'].map((variable) => process.env[variable] || undefined);
console.log(await signToken({ tenant: name, scope, subject, issuer, audience }, secret(options.stackFile), expiresAt));

function secret(file: string): Uint8Array {
  const given = process.env['JWT_SECRET'];
  const text = given !== undefined && given !== '' ? given : secretOfStack(file);
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < MIN_SECRET_BYTES) command.error(`JWT_SECRET must be at least ${MIN_SECRET_BYTES} bytes`);
  return bytes;
}

function secretOfStack(file: string): string {
  const stack = readStack(file);
  const pids: unknown[] = Array.isArray(stack.pids?.api) ? stack.pids.api : [];
  if (!pids.some(isAlive)) command.error(`JWT_SECRET is not set, and the \`npm start\` of ${file} runs no more`);
  if (typeof stack.jwt_secret === 'string') return stack.jwt_secret;
  return command.error(`${file} has no jwt_secret`);
}

function readStack(file: string): { jwt_secret?: unknown; pids?: { api?: unknown } } {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof readStack>;
  } catch {
    return command.error(`JWT_SECRET is not set, and no \`npm start\` runs here (${file} cannot be read)`);
  }
}

function isAlive(pid: unknown): boolean {
  try {
    return typeof pid === 'number' && process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function tenant(value: string): string {
  const parsed = Tenant.safeParse(value);
  if (!parsed.success) throw new InvalidArgumentError('A tenant has 1 to 200 characters and no /.');
  return value;
}

function knownScopes(value: string): string {
  const known: readonly string[] = scopes;
  const unknown = value.split(' ').filter((scope) => !known.includes(scope));
  if (unknown.length > 0) throw new InvalidArgumentError(`Unknown: ${unknown.join(' ')}. Known: ${scopes.join(' ')}.`);
  return value;
}

function expiresInOption(usual: string): Option {
  const option = new Option('--expires-in <duration>', 'such as 30m, 12h, 7d');
  return option.argParser(duration).default(duration(usual), usual);
}

function duration(value: string): number {
  const parsed = setting.duration().safeParse(value);
  if (!parsed.success) throw new InvalidArgumentError('A duration is such as 30m, 12h, 7d.');
  return parsed.data;
}
