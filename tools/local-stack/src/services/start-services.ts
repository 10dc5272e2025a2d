import { join } from 'node:path';
import type { LocalStack } from '../local-stack.js';
import { repositoryRoot } from '../paths.js';
import { withFreePorts } from '../ports.js';
import { LogFile } from '../process/log-file.js';
import { Supervised } from '../process/supervised.js';
import { countOf, type Instance, instancesOf, type Replicas, type ServiceName } from './instances.js';
import { environmentOf } from './service-environment.js';
import { servicePart } from './service-part.js';

export interface ServicesOptions {
  readonly stack: LocalStack;
  readonly apis?: number;
  readonly deleters?: number;
  readonly cleaners?: number;
  readonly monitors?: number;
  readonly jwtSecret: string;
  /** The clone whose `services/<name>/dist/main.js` are run. */
  readonly root?: string;
  /** Settings beyond the wiring, for every service; `process.env` unless told. */
  readonly env?: NodeJS.ProcessEnv;
  /** Settings of one instance, over everything else; asked at each of its starts. */
  readonly settingsOf?: (instance: Instance) => NodeJS.ProcessEnv;
  /** `inherit`: their lines go where ours go. `files`: to `.local/<run>/logs/<instance>.log`. */
  readonly log: 'inherit' | 'files';
  readonly supervised?: boolean;
  /** Milliseconds until the first start has to be ready, and from SIGTERM to SIGKILL. */
  readonly startWithin?: number;
  readonly drainWithin?: number;
  readonly onPids?: () => void;
  readonly say?: (line: string) => void;
}

export interface Service extends Instance {
  readonly process: Supervised;
}

export interface Services {
  readonly all: readonly Service[];
  of(service: ServiceName): readonly Service[];
  /** SIGTERM, time to drain, SIGKILL. */
  stop(): Promise<void>;
}

/** Starts every instance as a process of its own and waits until each is ready. */
export function startServices(options: ServicesOptions): Promise<Services> {
  const replicas: Replicas = {
    api: options.apis ?? 1,
    deleter: options.deleters ?? 1,
    'storage-cleaner': options.cleaners ?? 1,
    monitor: options.monitors ?? 1,
  };
  return withFreePorts(countOf(replicas), async (ports) => {
    const instances = instancesOf(replicas, ports);
    const monitorUrls = instances.filter(({ service }) => service === 'monitor').map(({ url }) => url);
    const all = instances.map((instance) => ({ ...instance, process: supervise(instance, monitorUrls, options) }));
    const { drainWithin = 15_000 } = options;
    const stop = async () => {
      await Promise.all(all.map(({ process }) => process.stop(drainWithin)));
    };
    try {
      await Promise.all(all.map(({ process }) => process.start()));
    } catch (error) {
      await Promise.all(all.map(({ process }) => process.stop(0)));
      throw error;
    }
    return { all, of: (service) => all.filter((instance) => instance.service === service), stop };
  });
}

function supervise(instance: Instance, monitorUrls: readonly string[], options: ServicesOptions): Supervised {
  const { stack, jwtSecret, root = repositoryRoot, env = process.env, say = () => undefined } = options;
  const wired = environmentOf(instance, { stack, jwtSecret, monitorUrls, inherited: env });
  const log = options.log === 'files' ? new LogFile(join(stack.run.logs, `${instance.name}.log`)) : null;
  const part = servicePart(instance, {
    root,
    guard: stack.guard,
    env: () => ({ ...wired, ...options.settingsOf?.(instance) }),
    log,
    say,
  });
  return new Supervised(part, {
    supervised: options.supervised ?? true,
    startWithin: options.startWithin ?? 60_000,
    onPid: options.onPids,
    log: say,
  });
}
