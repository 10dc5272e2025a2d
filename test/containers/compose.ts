import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { freePort } from '@expunge/local-stack';
import { repositoryRoot } from '../support/command.js';

const run = promisify(execFile);
const STAND_IN = 'test/containers/docker-compose.debian.yml';

/** Both spellings, told as one: a shell that has only the older takes it for the newer. */
const shim = `docker() { if [ "$1" = compose ]; then shift; docker-compose "$@"; else command docker "$@"; fi; }`;

export interface ContainerState {
  readonly service: string;
  readonly user: string;
  readonly readOnlyRoot: boolean;
  readonly health: string | null;
  readonly exitCode: number;
  /** Addresses of the host that its ports are published on. */
  readonly publishedOn: readonly string[];
}

interface Inspected {
  Config: { User: string; Labels: Record<string, string> };
  HostConfig: { ReadonlyRootfs: boolean; PortBindings: Record<string, { HostIp: string }[]> | null };
  State: { Health?: { Status: string }; ExitCode: number };
}

/** A project of Compose from this repository's own files, beside any other on the machine. */
export class Compose {
  private constructor(
    private readonly project: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly isPlugin: boolean,
    readonly ports: { readonly api: number; readonly management: number; readonly jaeger: number },
    /** Which Compose runs it, and over which files. */
    readonly description: string,
  ) {}

  static async create(): Promise<Compose> {
    const project = `expunge-${randomBytes(4).toString('hex')}`;
    const ports = { api: await freePort(), management: await freePort(), jaeger: await freePort() };
    const hasStandIns = succeeds('docker', ['image', 'inspect', 'expunge-test/rabbitmq:4-management']);
    const files = ['docker-compose.yml', ...(hasStandIns ? [STAND_IN] : [])];
    const env = {
      ...process.env,
      COMPOSE_PROJECT_NAME: project,
      COMPOSE_FILE: files.join(':'),
      API_PORT: String(ports.api),
      RABBITMQ_MANAGEMENT_PORT: String(ports.management),
      JAEGER_PORT: String(ports.jaeger),
    };
    const isPlugin = succeeds('docker', ['compose', 'version']);
    const version = execFileSync(...(isPlugin ? plugin : standalone), { encoding: 'utf8' }).trim();
    return new Compose(project, env, isPlugin, ports, `Compose ${version} on ${files.join(', ')}`);
  }

  /** Runs lines of a page as they stand there, but for the ports. Ends at the first that fails. */
  async shell(lines: string): Promise<string> {
    const own = lines.replaceAll('localhost:8080', `localhost:${this.ports.api}`);
    const script = `set -eu\n${this.isPlugin ? '' : shim}\n${own}`;
    const options = { cwd: repositoryRoot, env: this.env, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await run('bash', ['-c', script], options).catch((error: unknown) => {
      const { stdout: out = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${lines}\nfailed:\n${`${out}\n${stderr}`.slice(-4_000)}`, { cause: error });
    });
    return stdout;
  }

  async containers(): Promise<ContainerState[]> {
    const label = `label=com.docker.compose.project=${this.project}`;
    const { stdout: ids } = await run('docker', ['ps', '-aq', '--filter', label]);
    const { stdout } = await run('docker', ['inspect', ...ids.trim().split('\n')], { maxBuffer: 64 * 1024 * 1024 });
    return (JSON.parse(stdout) as Inspected[]).map(({ Config, HostConfig, State }) => ({
      service: Config.Labels['com.docker.compose.service'] ?? '',
      user: Config.User,
      readOnlyRoot: HostConfig.ReadonlyRootfs,
      health: State.Health?.Status ?? null,
      exitCode: State.ExitCode,
      publishedOn: Object.values(HostConfig.PortBindings ?? {}).flatMap((all) => all.map(({ HostIp }) => HostIp)),
    }));
  }

  /** Containers, networks and volumes. */
  async remove(): Promise<void> {
    await this.shell('docker compose down -v --remove-orphans');
  }
}

/** Null: a container engine answers, and some Compose is there. */
export function whyNoCompose(): string | null {
  if (!succeeds('docker', ['version'])) return 'no Docker engine answers';
  if (!succeeds('docker', ['compose', 'version']) && !succeeds('docker-compose', ['version'])) return 'no Compose';
  return null;
}

const plugin: [string, string[]] = ['docker', ['compose', 'version', '--short']];
const standalone: [string, string[]] = ['docker-compose', ['version', '--short']];

function succeeds(file: string, args: string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
