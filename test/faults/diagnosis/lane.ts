import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  databaseUrl,
  type LocalStack,
  Management,
  newSecret,
  prepareRecords,
  type Rights,
  type Service,
  type ServiceName,
  serviceNames,
  type Supervised,
  until,
} from '@expunge/local-stack';
import { repositoryRoot } from '../../support/command.js';
import { Door } from '../../support/door.js';
import { type MisbehavingStore, startMisbehavingStore } from '../../support/misbehaving-store.js';
import { System } from '../../support/system.js';

const preload = join(repositoryRoot, 'test', 'dist', 'test', 'faults', 'diagnosis', 'misbehave.js');

/**
 * One of each service, with a broker user of their own, whose rights can be taken; with doors between the deleter and
 * its databases, and a store that misbehaves between the storage-cleaner and the bucket. Nobody starts a service again.
 */
export class Lane {
  private constructor(
    readonly name: string,
    readonly system: System,
    /** Of an instance, at its next start. */
    private readonly settings: Map<string, Record<string, string>>,
    /** The folder from which the services are started. */
    readonly root: string,
    readonly user: LaneUser,
    readonly bucket: MisbehavingStore,
    /** The deleter's own database. */
    readonly ownDoor: Door,
    readonly recordsDoor: Door,
  ) {}

  static async start(stack: LocalStack, name: string): Promise<Lane> {
    const root = join(stack.run.directory, `root-${name}`);
    mkdirSync(join(root, 'services'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{"type": "module"}');
    symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'));
    for (const service of serviceNames) symlinkSync(distOf(service), join(root, 'services', service));
    const recordsUrl = databaseUrl(stack.mongodb.url, `records-${name}`);
    const servers = { ...stack, mongodb: { ...stack.mongodb, recordsUrl } };
    await prepareRecords(servers);
    const user = new LaneUser(stack, name);
    await user.create();
    const bucket = await startMisbehavingStore(stack.s3.endpoint);
    const [ownDoor, recordsDoor] = [new Door(stack.mongodb.url), new Door(recordsUrl)];
    await Promise.all([ownDoor.open(), recordsDoor.open()]);
    const settings = new Map<string, Record<string, string>>();
    const system = await System.startBeside(servers, name, {
      root,
      supervised: false,
      drainWithin: 5_000,
      env: {
        ...process.env,
        NODE_OPTIONS: `--import ${pathToFileURL(preload).href}`,
        NODE_COMPILE_CACHE: join(stack.run.directory, 'compile-cache'),
      },
      settingsOf: ({ name: instance, service }) => ({
        ...(service === 'deleter' && { MONGODB_URL: ownDoor.url, RECORDS_MONGODB_URL: recordsDoor.url }),
        ...settings.get(instance),
      }),
      asSeen: async (own) => {
        await user.permit();
        return {
          ...own,
          rabbitmq: {
            ...own.rabbitmq,
            url: user.urlOf(own.rabbitmq.url),
            managementUrl: user.urlOf(own.rabbitmq.managementUrl),
          },
          s3: { ...own.s3, endpoint: bucket.endpoint },
        };
      },
    });
    return new Lane(name, system, settings, root, user, bucket, ownDoor, recordsDoor);
  }

  instance(service: ServiceName): Service {
    const [instance] = this.system.services.of(service);
    if (!instance) throw new Error(`there is no ${service}`);
    return instance;
  }

  process(service: ServiceName): Supervised {
    return this.instance(service).process;
  }

  /** As it is called in evidence. */
  fullName(service: ServiceName): string {
    return `${service}@${this.instance(service).name}`;
  }

  /** So many batches of another tenant, one object each; returns once they wait to be purged. */
  async otherBatches(batches: number): Promise<void> {
    const { system } = this;
    const tenant = system.newTenant();
    await system.fill(tenant, batches, 1);
    const id = await system.request(tenant, { selection: { all: true }, options: { batch_size: 1 } });
    await system.until(tenant, id, 'its batches to be deleted', ({ status }) => status === 'purging');
  }

  async untilEnded(service: ServiceName): Promise<void> {
    await until(`the end of the ${service}`, () => !this.process(service).running, 20_000);
  }

  /** With other settings, or those of before. */
  async restart(service: ServiceName, settings: Record<string, string> = {}): Promise<void> {
    this.give(service, settings);
    await this.process(service).restart();
  }

  /** Of a command that is to work on what the monitor of this lane keeps. */
  get environment(): Record<string, string> {
    const { rabbitmq, mongodb } = this.system.stack;
    return { RABBITMQ_URL: rabbitmq.url, MONGODB_URL: mongodb.url, DATABASE_PREFIX: `${this.name}-` };
  }

  /** Over its usual settings, from its next start on. */
  give(service: ServiceName, settings: Record<string, string>): void {
    this.settings.set(this.instance(service).name, settings);
  }

  async stop(): Promise<void> {
    await this.system.stop();
    await Promise.all([this.bucket.close(), this.ownDoor.shut(), this.recordsDoor.shut(), this.user.delete()]);
  }
}

export const distOf = (service: ServiceName): string => join(repositoryRoot, 'services', service);

/** All rights but this one: nobody of ours declares, binds or reads `name` again. To bind, one reads the exchange. */
export const withheld = (right: 'configure' | 'read', name: string): Partial<Rights> => ({
  [right]: `^(?!${name.replaceAll('.', '\\.')}$)`,
});

/** The broker's user as whom the services of a lane connect. */
export class LaneUser {
  private password = newSecret();
  private readonly management: Management;
  private readonly name: string;

  constructor(
    stack: LocalStack,
    private readonly vhost: string,
  ) {
    this.management = new Management(stack.rabbitmq.managementUrl);
    this.name = `services-of-${vhost}`;
  }

  async create(tags: readonly string[] = ['monitoring']): Promise<void> {
    await this.management.putUser(this.name, this.password, tags);
  }

  async permit(rights: Partial<Rights> = {}): Promise<void> {
    await this.management.permit(this.vhost, this.name, rights);
  }

  /** No right is left, and no connection. */
  async forbid(): Promise<void> {
    await this.management.forbid(this.vhost, this.name);
    await this.cut();
  }

  /** As when a secret was rotated at one end alone. */
  async changePassword(): Promise<void> {
    await this.management.putUser(this.name, newSecret(), ['monitoring']);
    await this.cut();
  }

  async cut(): Promise<void> {
    await this.management.closeConnections(this.vhost);
  }

  async delete(): Promise<void> {
    await this.management.deleteUser(this.name);
  }

  urlOf(url: string): string {
    const own = new URL(url);
    own.username = this.name;
    own.password = this.password;
    return own.href;
  }
}
