import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { withFreePorts } from '../ports.js';
import { GuardedProcess } from '../process/guarded-process.js';
import { LogFile } from '../process/log-file.js';
import { type Part, Supervised } from '../process/supervised.js';
import type { Surroundings } from '../surroundings.js';
import { ensureRabbitMq } from './install.js';
import { Management } from './management.js';
import { configurationOf, environmentOf, type NodeSettings } from './node-settings.js';

export interface StartedRabbitMq {
  readonly url: string;
  readonly managementUrl: string;
  readonly server: Supervised;
  /** Runs `rabbitmqctl` on the node; resolves with what it prints. */
  readonly ctl: (...args: string[]) => Promise<string>;
  readonly stop: (patience: number) => Promise<void>;
}

/** A private node of the system's package; about 7 s. */
export async function startRabbitMq(surroundings: Surroundings): Promise<StartedRabbitMq> {
  const script = await ensureRabbitMq(surroundings.run.cache, surroundings.say);
  const log = new LogFile(join(surroundings.run.logs, 'rabbitmq.log'));
  return withFreePorts(4, async ([amqp = 0, management = 0, distribution = 0, epmd = 0]) => {
    const settings: NodeSettings = {
      folder: join(surroundings.run.directory, 'rabbitmq'),
      nodename: `${surroundings.run.id}@localhost`,
      ports: { amqp, management, distribution, epmd },
      user: 'expunge',
      password: randomBytes(18).toString('hex'),
    };
    writeFiles(settings);
    const credentials = `${settings.user}:${settings.password}`;
    const managementUrl = `http://${credentials}@127.0.0.1:${management}`;
    const names = new Supervised(epmdPart(surroundings, settings, log), surroundings.supervision(10_000));
    const server = new Supervised(
      nodePart(surroundings, settings, log, script, new Management(managementUrl)),
      surroundings.supervision(90_000),
    );
    const stop = async (patience: number) => {
      await server.stop(patience);
      await names.stop(0);
    };
    try {
      await names.start();
      await server.start();
    } catch (error) {
      await stop(0);
      throw error;
    }
    const ctl = async (...args: string[]) => {
      const { stdout } = await promisify(execFile)(join(dirname(script), 'rabbitmqctl'), args, {
        env: environmentOf(settings),
      });
      return stdout;
    };
    return { url: `amqp://${credentials}@127.0.0.1:${amqp}`, managementUrl, server, ctl, stop };
  });
}

function writeFiles(settings: NodeSettings): void {
  for (const name of ['home', 'mnesia', 'log']) mkdirSync(join(settings.folder, name), { recursive: true });
  writeFileSync(join(settings.folder, 'rabbitmq.conf'), configurationOf(settings), { mode: 0o600 });
  writeFileSync(join(settings.folder, 'enabled_plugins'), '[rabbitmq_management].\n');
}

function nodePart(
  { guard }: Surroundings,
  settings: NodeSettings,
  log: LogFile,
  script: string,
  management: Management,
): Part<GuardedProcess> {
  const command = { file: script, args: [], env: environmentOf(settings), cwd: settings.folder };
  return {
    name: 'rabbitmq',
    spawn: () => new GuardedProcess(guard, { ...command, output: log.descriptor }),
    ready: async (process, signal) => {
      while (!(await management.listens(settings.ports.amqp))) await delay(100, undefined, { signal });
      return process.pid;
    },
    lastWords: () => log.lastLines(),
  };
}

/** In the foreground: the one a node starts by itself would leave every process group and outlive us all. */
function epmdPart({ guard }: Surroundings, settings: NodeSettings, log: LogFile): Part<GuardedProcess> {
  const args = ['-port', String(settings.ports.epmd), '-address', '127.0.0.1'];
  return {
    name: 'epmd',
    spawn: () =>
      new GuardedProcess(guard, { file: 'epmd', args, env: environmentOf(settings), output: log.descriptor }),
    ready: (process) => Promise.resolve(process.pid),
    lastWords: () => log.lastLines(),
  };
}
