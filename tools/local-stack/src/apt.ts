import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The fields of /etc/os-release, `{}` where there is none. */
export function osRelease(): Record<string, string> {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm);
    return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
  } catch {
    return {};
  }
}

export function isDebianLike(): boolean {
  const { ID = '', ID_LIKE = '' } = osRelease();
  return [ID, ...ID_LIKE.split(' ')].includes('debian');
}

export function mayInstall(): boolean {
  return process.env['EXPUNGE_INSTALL'] !== 'never';
}

export function hasPackageLists(): boolean {
  try {
    return readdirSync('/var/lib/apt/lists').some((file) => /_Packages(\.\w+)?$/.test(file));
  } catch {
    return false;
  }
}

/** Runs apt-get without questions; rejects with its last lines. */
export async function aptGet(args: readonly string[], cwd?: string): Promise<void> {
  const output: string[] = [];
  const child = spawn('apt-get', ['-q', '-y', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
    ...(cwd === undefined ? {} : { cwd }),
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.push(text));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const last = output.join('').trimEnd().split('\n').slice(-8).join('\n');
      if (code === 0) resolve();
      else reject(new Error(`apt-get ${args.join(' ')} failed with exit code ${code ?? 'none'}\n${last}`));
    });
  });
}
