import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { TokenVerifier } from '../src/auth/token-verifier.js';
import { SECRET } from './running-api.js';

jest.setTimeout(60_000);

const built = (script: string): string => fileURLToPath(new URL(`../dist/${script}`, import.meta.url));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(script: string, args: string[], env: Record<string, string>): Promise<Ended> {
  try {
    const { PATH = '' } = process.env;
    const ended = await promisify(execFile)(process.execPath, [built(script), ...args], { env: { PATH, ...env } });
    return { code: 0, ...ended };
  } catch (error) {
    return error as Ended;
  }
}

describe('the api', () => {
  const settings = {
    RABBITMQ_URL: 'amqp://127.0.0.1:9',
    MONGODB_URL: 'mongodb://127.0.0.1:9',
    MONITOR_URLS: 'http://127.0.0.1:9',
  };

  test.each([
    ['is missing', {}, /^JWT_SECRET is required, or JWT_JWKS_URL$/m],
    ['is too short', { JWT_SECRET: 'x'.repeat(31) }, /^JWT_SECRET must be at least 32 bytes/m],
  ])('does not start when its secret %s, and says so without showing it', async (_, secret, error) => {
    const { code, stderr } = await run('main.js', [], { ...settings, ...secret });
    expect(code).toBe(78);
    expect(stderr).toMatch(error);
    expect(stderr).not.toContain('xxx');
  });

  test('says all that is wrong of what it checks tokens with, beside what else is', async () => {
    const { code, stderr } = await run('main.js', [], {
      ...settings,
      MONITOR_URLS: 'http://a,b:80',
      JWT_SECRET: SECRET,
      JWT_JWKS_URL: 'https://id.example/keys',
      JWT_ISSUER: 'https://id.example',
    });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^MONITOR_URLS must be http/m);
    expect(stderr).toMatch(/^JWT_JWKS_URL cannot be set beside JWT_SECRET/m);
    expect(stderr).toMatch(/^JWT_AUDIENCE is required with JWT_JWKS_URL$/m);
  });

  test('does not start with a monitor that is no URL', async () => {
    const { code, stderr } = await run('main.js', [], {
      ...settings,
      JWT_SECRET: SECRET,
      MONITOR_URLS: 'http://a,b:80',
    });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^MONITOR_URLS must be http/m);
  });

  test.each([
    ['is not there', '/nowhere.json', /^RESOURCES_FILE \/nowhere\.json cannot be read: ENOENT.*$/],
    ['is something else', built('../package.json'), /^RESOURCES_FILE \S+package\.json: file .*expected array.*$/],
  ])('does not start when its RESOURCES_FILE %s, and says so in a line', async (_, file, line) => {
    const env = { ...settings, JWT_SECRET: SECRET, RESOURCES_FILE: file };
    const { code, stdout, stderr } = await run('main.js', [], env);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual(['api cannot start:', expect.stringMatching(line)]);
  });
});

describe('npm run token', () => {
  let folder: string;
  const stack = (name: string): string => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'expunge-token-'));
    const running = { jwt_secret: SECRET, pids: { api: [process.pid] } };
    await writeFile(stack('running.json'), JSON.stringify(running));
    await writeFile(stack('ended.json'), JSON.stringify({ ...running, pids: { api: [2 ** 22 + 1] } }));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const callerOf = async (token: string): Promise<unknown> =>
    new TokenVerifier({ keys: { secret: new TextEncoder().encode(SECRET) } }).verify(token.trim(), new Date());

  test('signs with JWT_SECRET', async () => {
    const args = ['--tenant', 'acme', '--scope', 'jobs:read', '--subject', 'ann'];
    const { stdout } = await run('token.js', args, { JWT_SECRET: SECRET });
    expect(await callerOf(stdout)).toMatchObject({
      caller: { tenant: 'acme', scopes: new Set(['jobs:read']), name: 'ann' },
    });
  });

  test('says how long it holds in the form in which that is given', async () => {
    const { stdout } = await run('token.js', ['--help'], {});
    expect(stdout).toMatch(/such as 30m, 12h, 7d \(default: 12h\)/);
  });

  test('signs with the secret of the running system', async () => {
    const { stdout } = await run('token.js', ['--tenant', 'acme', '--stack-file', stack('running.json')], {});
    expect(await callerOf(stdout)).toMatchObject({ ok: true, caller: { tenant: 'acme' } });
  });

  test.each([
    [
      'no system runs',
      ['--tenant', 'acme', '--stack-file', 'nowhere.json'],
      {},
      /JWT_SECRET is not set, and no `npm start` runs here/,
    ],
    ['the secret is short', ['--tenant', 'acme'], { JWT_SECRET: 'short' }, /JWT_SECRET must be at least 32 bytes/],
    ['no tenant is named', [], { JWT_SECRET: SECRET }, /--tenant/],
    ['a scope is unknown', ['--tenant', 'acme', '--scope', 'jobs:all'], { JWT_SECRET: SECRET }, /Unknown: jobs:all/],
  ])('says what is wrong when %s', async (_, args, env, error) => {
    const { code, stdout, stderr } = await run('token.js', args, env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(error);
  });

  test('says so when the system that wrote the file has ended', async () => {
    const { code, stderr } = await run('token.js', ['--tenant', 'acme', '--stack-file', stack('ended.json')], {});
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/runs no more/) as unknown });
  });
});
