import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { allWorkQueues, parkedQueue } from '@expunge/contracts';
import { type LocalStack, type Service, type ServiceName, serviceNames, until } from '@expunge/local-stack';
import { connect } from 'amqplib';
import { ObjectId } from 'mongodb';
import { jobIdOfKey } from '../../services/api/src/acceptance/acceptance.js';
import { repositoryRoot } from '../support/command.js';
import { asTenant } from '../support/running-job.js';
import { idsOf, keysOf, type Receipt, System } from '../support/system.js';
import { aimFile, callsFile, type CrashPoint, died } from './crash-point.js';
import { ledgerViolations } from './ledger-violations.js';
import { look } from './look.js';
import { violationsOf } from './oracle.js';

const BATCH_SIZE = 2;
const RECORDS = 2 * BATCH_SIZE;
/** A death costs a job 8 s or so; the rest is for a busy machine. */
const WITHIN_MS = 90_000;
/** After the job is done: for calls that follow it, and the death at one of them. */
const LATE_MS = 2_000;

const preload = join(repositoryRoot, 'test', 'dist', 'test', 'faults', 'kill-at-call.js');

/** A job of two batches, of a tenant who has a record that is not to go, beside another tenant. */
interface Given {
  readonly job: string;
  readonly tenant: string;
  readonly planned: readonly Receipt[];
  readonly later: Receipt;
  readonly other: { readonly tenant: string; readonly receipts: readonly Receipt[] };
}

export interface Tried {
  readonly killed: boolean;
  /** By the process under trial until it died, or until the job was done. */
  readonly calls: readonly string[];
  readonly violations: readonly string[];
}

/** One of each service, on a vhost and databases of their own, one job after another. */
export class CrashLane {
  private constructor(
    private readonly system: System,
    private readonly folder: string,
  ) {}

  static async start(stack: LocalStack, name: string): Promise<CrashLane> {
    const folder = join(stack.run.directory, `crash-${name}`);
    mkdirSync(folder);
    const env = {
      ...process.env,
      NODE_OPTIONS: `--import ${pathToFileURL(preload).href}`,
      CRASH_POINTS: folder,
      // A quarter of what a start costs, of which there are many.
      NODE_COMPILE_CACHE: join(stack.run.directory, 'compile-cache'),
    };
    // Whoever ends is started again from here: at once, and not after a pause that grows with each death.
    const options = { env, supervised: false, startWithin: 180_000, drainWithin: 0 };
    return new CrashLane(await System.startBeside(stack, name, options), folder);
  }

  /** The calls each service makes for a job. */
  async record(): Promise<Record<ServiceName, string[]>> {
    const given = await this.prepare();
    for (const service of serviceNames) this.aim(service, given, null);
    await this.request(given);
    await this.untilDone(given);
    const calls = () => serviceNames.map((service) => [service, this.callsOf(service, given)] as const);
    let before = '';
    await until(
      'the last call',
      async () => {
        await delay(LATE_MS / 2);
        return before === (before = JSON.stringify(calls()));
      },
      WITHIN_MS,
    );
    const violations = await this.violations(given);
    if (violations.length > 0) throw new Error(`a job that nothing befell: ${violations.join('; ')}`);
    return Object.fromEntries(calls()) as Record<ServiceName, string[]>;
  }

  /** A job during which the service dies at that point, and whatever does not hold when it is done. */
  async try(service: ServiceName, point: CrashPoint): Promise<Tried> {
    const given = await this.prepare();
    this.aim(service, given, point);
    const over = new AbortController();
    const reviving = Promise.all(serviceNames.map((name) => this.revive(name, over.signal)));
    const late = await this.seeThrough(service, given).then(() => [], told);
    // A process that comes by its point only now lives on.
    rmSync(aimFile(this.folder, this.instance(service).name), { force: true });
    over.abort();
    const deaths = await reviving;
    const violations = [...late, ...(await this.violations(given).catch(told))];
    const killed = this.diedAt(service, given) === died(point);
    for (const [index, name] of serviceNames.entries()) {
      const ours = killed && name === service ? 1 : 0;
      const by = (deaths[index] ?? 0) - ours;
      if (by > 0) violations.push(`the ${name} ended ${by} times by itself`);
    }
    return { killed, calls: this.callsOf(service, given), violations };
  }

  /** Its processes, and the last that each said: for whoever has to find out why a job did not end. */
  standing(): string[] {
    return this.system.services.all.map(({ name, process }) => {
      const state = process.running ? 'runs' : 'does not run';
      return `${name} (pid ${process.pid}) ${state}\n${process.part.lastWords()}`;
    });
  }

  /** Forgets what the process has kept of earlier jobs. */
  async restart(service: ServiceName): Promise<void> {
    await this.instance(service).process.restart();
  }

  /** The queues of a service in which messages were given up on. */
  async parked(service: ServiceName): Promise<string[]> {
    const connection = await connect(this.system.stack.rabbitmq.url);
    try {
      const channel = await connection.createChannel();
      const queues = allWorkQueues.filter((queue) => queue.service === service);
      const depths = await Promise.all(queues.map(({ name }) => channel.checkQueue(parkedQueue(name))));
      return depths.filter(({ messageCount }) => messageCount > 0).map((depth) => JSON.stringify(depth));
    } finally {
      await connection.close();
    }
  }

  stop(): Promise<void> {
    return this.system.stop();
  }

  private async prepare(): Promise<Given> {
    const { system } = this;
    const [tenant, other] = [system.newTenant(), system.newTenant()];
    const [planned, theirs, [later]] = await Promise.all([
      system.fill(tenant, RECORDS, 1),
      system.fill(other, 1, 1),
      // As a host whose clock is a minute ahead makes it: later than the request.
      system.fill(tenant, 1, 1, (receipt) => (receipt._id = inAMinute())),
    ]);
    if (!later) throw new Error('there is no later record');
    return { job: jobIdOfKey(tenant, tenant), tenant, planned, later, other: { tenant: other, receipts: theirs } };
  }

  private aim(service: ServiceName, { job, tenant }: Given, point: CrashPoint | null): void {
    const file = aimFile(this.folder, this.instance(service).name);
    writeFileSync(`${file}.new`, JSON.stringify({ job, key: tenant, point }));
    // The service may be looking just now.
    renameSync(`${file}.new`, file);
  }

  /** As a client does whose request was cut off: again, with its key, until it is told 202. */
  private async request({ tenant, job }: Given): Promise<void> {
    const body = { selection: { all: true }, options: { batch_size: BATCH_SIZE } };
    let error: unknown;
    const accepted = async () => {
      try {
        return (await this.system.request(tenant, body, { 'idempotency-key': tenant })) === job;
      } catch (thrown) {
        error = thrown;
        return false;
      }
    };
    await until('a 202', accepted, WITHIN_MS).catch((late: unknown) => {
      throw new Error(`${(late as Error).message}: ${String(error)}`);
    });
  }

  /** Until the job is done, though the process dies at the last of its calls. */
  private async seeThrough(service: ServiceName, given: Given): Promise<void> {
    const { process } = this.instance(service);
    const { pid } = process;
    await this.request(given);
    await this.untilDone(given);
    const hasDied = () => this.diedAt(service, given) !== null;
    await until('a late death', hasDied, LATE_MS).catch(() => undefined);
    if (hasDied()) await until(`another ${service}`, () => process.running && process.pid !== pid, WITHIN_MS);
    await this.untilDone(given);
  }

  /** By the stores: asking the services so often would cost more than the job does. */
  private untilDone({ job }: Given): Promise<void> {
    return until(
      `the end of job ${job}`,
      async () => {
        await delay(100);
        return this.system.isAtRest(job);
      },
      WITHIN_MS,
    );
  }

  /** Starts the process again when it has died, and says how often it did. */
  private async revive(service: ServiceName, over: AbortSignal): Promise<number> {
    const { process } = this.instance(service);
    for (let deaths = 0; ;) {
      if (!process.running) {
        deaths += 1;
        await process.restart();
      }
      if (over.aborted) return deaths;
      await delay(50, undefined, { signal: over }).catch(() => undefined);
    }
  }

  private async violations({ job, tenant, planned, later, other }: Given): Promise<string[]> {
    const { system } = this;
    // The first that is asked over a connection to a process that died has no answer.
    await system.until(tenant, job, 'an answer', () => true, 20_000);
    const mine = { ...asTenant(tenant, job, planned), inserted: [later] };
    const wrong = violationsOf(mine, await look(system, mine));
    const whole = { ids: idsOf([...other.receipts]), keys: keysOf([...other.receipts]) };
    const left = await system.left(other.tenant);
    if (JSON.stringify(left) !== JSON.stringify(whole)) wrong.push(`of another tenant is left ${JSON.stringify(left)}`);
    const said = (await system.eventsOf(job)).filter(({ sequence }) => sequence !== null).map(({ _id }) => String(_id));
    return [...wrong, ...ledgerViolations(await system.heardOf(job), said)];
  }

  private callsOf(service: ServiceName, given: Given): string[] {
    return this.lines(service, given).filter((line) => !line.startsWith('died '));
  }

  private diedAt(service: ServiceName, given: Given): string | null {
    return this.lines(service, given).find((line) => line.startsWith('died ')) ?? null;
  }

  private lines(service: ServiceName, { job }: Given): string[] {
    const file = callsFile(this.folder, this.instance(service).name, job);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  private instance(service: ServiceName): Service {
    const [instance] = this.system.services.of(service);
    if (!instance) throw new Error(`there is no ${service}`);
    return instance;
  }
}

const told = (error: unknown): string[] => [error instanceof Error ? error.message : String(error)];

function inAMinute(): ObjectId {
  return new ObjectId(ObjectId.generate(Math.floor(Date.now() / 1000) + 60));
}
