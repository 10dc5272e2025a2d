import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MAINTENANCE_EXCHANGE, workQueues } from '@expunge/contracts';
import { wholeNumber } from '@expunge/cli';
import { Management, type Supervised } from '@expunge/local-stack';
import { connect } from 'amqplib';
import { ended, System } from '../support/system.js';
import { Application, patiently } from './application.js';
import { look } from './look.js';
import { violationsOf } from './oracle.js';
import { scheduleOf, type Step } from './schedule.js';
import { plannedRecord, type Tenant } from './tenant.js';

/** One after the other is so much slower that the last of them lasts as long as the faults. */
const JOBS = 4;
const RECORDS_PER_MINUTE = 300;
/** Of a job's least time: then its first pass is not over, and another follows. */
const REINSERTS_FOR = 0.7;
const SETTLE_WITHIN_MS = 300_000;
const AT_BROKER_WITHIN_MS = 20_000;

const { minutes, seed } = options();

function options(): { minutes: number; seed: number } {
  try {
    const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
    return {
      minutes: wholeNumber(1, 600)(values.minutes ?? '2'),
      seed: wholeNumber(0, 999_999_999)(values.seed ?? String(Date.now() % 1_000_000)),
    };
  } catch (error) {
    process.stderr.write(`chaos [--minutes N] [--seed N]: ${(error as Error).message}\n`);
    process.exit(2);
  }
}

const say = (line: string) => process.stdout.write(`${line}\n`);

class Chaos {
  private readonly pending: Promise<unknown>[] = [];
  private readonly management: Management;
  faults = 0;

  constructor(
    private readonly system: System,
    private readonly tenants: readonly Tenant[],
  ) {
    this.management = new Management(system.stack.rabbitmq.managementUrl);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const [n, step] of steps.entries()) {
      await delay(step.afterMs);
      say(`chaos ${n + 1}: ${JSON.stringify(step)}`);
      this.pending.push(this.try(step, n + 1));
    }
    await Promise.all(this.pending);
    for (const victim of [...this.services(), ...this.servers()]) victim.thaw();
  }

  /** One that cannot be made, since the broker is away just now, is no fault. */
  private async try(step: Step, n: number): Promise<void> {
    try {
      await this.make(step);
      this.faults += 1;
    } catch (error) {
      say(`chaos ${n}: not made: ${String(error)}`);
    }
  }

  private services = (): Supervised[] => this.system.services.all.map(({ process: one }) => one);
  private servers = (): Supervised[] => {
    const { rabbitmq, mongodb, s3 } = this.system.stack;
    return [rabbitmq.server, mongodb.server, s3.server].filter((server) => server !== null);
  };

  private async make(step: Step): Promise<void> {
    switch (step.what) {
      case 'kill':
      case 'freeze': {
        const victim = at(step.of === 'service' ? this.services() : this.servers(), step.index);
        if (step.what === 'kill') {
          victim.kill('SIGKILL');
          return;
        }
        victim.freeze();
        await delay(step.forMs);
        victim.thaw();
        return;
      }
      case 'cut-connections':
        return this.management.closeConnections();
      case 'purge':
        return this.atBroker((channel) => channel.purgeQueue(at(queues, step.index)));
      case 'repeat-request':
        return this.repeatRequest(at(this.tenants, step.index));
      case 'cancel':
        return this.cancel(at(this.tenants, this.tenants.length - 1));
      case 'pause-and-resume': {
        const tenant = at(this.tenants, step.index);
        await this.system.ask(tenant.id, tenant.job, 'pause');
        await delay(step.forMs);
        await this.system.ask(tenant.id, tenant.job, 'resume');
      }
    }
  }

  /** The very message, as a broker would deliver it twice. */
  private async repeatRequest({ job }: Tenant): Promise<void> {
    const request = (await this.system.heardOf(job)).find(({ type }) => type === 'DeleteRequested');
    if (!request) return;
    await this.atBroker((channel) => {
      channel.publish(MAINTENANCE_EXCHANGE, 'delete.requested', Buffer.from(JSON.stringify(request)), {
        contentType: 'application/cloudevents+json',
        persistent: true,
        messageId: request.id,
        type: request.type,
      });
      return Promise.resolve();
    });
  }

  /** Asked for until it is accepted; meanwhile nobody knows. */
  private async cancel(tenant: Tenant): Promise<void> {
    tenant.cancelled = 'perhaps';
    await patiently(() => this.system.ask(tenant.id, tenant.job, 'cancel'));
    tenant.cancelled = 'yes';
  }

  private async atBroker(work: (channel: Channel) => Promise<unknown>): Promise<void> {
    const connection = await connect(this.system.stack.rabbitmq.url, { timeout: AT_BROKER_WITHIN_MS });
    connection.on('error', () => undefined);
    const asked = async () => {
      const channel = await connection.createChannel();
      channel.on('error', () => undefined);
      await work(channel);
      await channel.close();
      await connection.close();
    };
    // What is asked on a connection that is cut meanwhile may never be answered.
    const late = delay(AT_BROKER_WITHIN_MS, undefined, { ref: false }).then(() => {
      throw new Error('the broker did not answer');
    });
    await Promise.race([asked(), late]);
  }
}

type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>;
const queues = Object.values(workQueues).map(({ name }) => name);

function at<T>(all: readonly T[], index: number): T {
  const one = all[index % all.length];
  if (one === undefined) throw new Error('there is none');
  return one;
}

/** @param lasts seconds, at least */
async function startJob(system: System, lasts: number): Promise<Tenant> {
  const id = system.newTenant();
  const records = RECORDS_PER_MINUTE * minutes;
  const planned = (await system.fill(id, records, 1)).map(plannedRecord);
  const rate = Math.max(1, Math.floor(records / lasts));
  const options = { batch_size: 4, max_records_per_second: rate };
  const job = await system.request(id, { selection: { all: true }, options });
  const reinsertUntil = Date.now() + REINSERTS_FOR * lasts * 1000;
  return { id, job, planned, inserted: [], reinsertUntil, cancelled: 'no' };
}

/** Resumes whatever a pause has left, until the job ends. */
async function settle(system: System, { id, job }: Tenant): Promise<void> {
  const end = Date.now() + SETTLE_WITHIN_MS;
  while (Date.now() < end) {
    const shown = await system.job(id, job);
    // Objects of a cancelled job still go.
    if (shown && ended.includes(shown.status) && shown.progress.objects.pending === 0) return;
    if (shown?.status === 'paused') await system.ask(id, job, 'resume').catch(() => undefined);
    if (shown?.status === 'running' && shown.max_records_per_second !== null) {
      await system.ask(id, job, null).catch(() => undefined);
    }
    await delay(500);
  }
}

async function main(): Promise<number> {
  const steps = scheduleOf(seed, minutes);
  const system = await System.start({ apis: 2, deleters: 2, cleaners: 2, monitors: 2 });
  let violations: string[] = [];
  let faults = 0;
  try {
    const tenants: Tenant[] = [];
    for (let n = 1; n <= JOBS; n++) tenants.push(await startJob(system, (minutes * 60 * n) / JOBS));
    // ObjectIds tell their second: what is created in the request's own may be in its bound.
    await delay(1100);
    const application = new Application(system, tenants);
    application.start();
    const chaos = new Chaos(system, tenants);
    await chaos.run(steps);
    ({ faults } = chaos);
    await application.stop();
    say(`chaos: ${faults} faults made; the application: ${JSON.stringify(application.done)}; the jobs are to end`);
    await Promise.all(tenants.map((tenant) => settle(system, tenant)));
    for (const tenant of tenants) violations.push(...violationsOf(tenant, await look(system, tenant)));
  } catch (error) {
    violations = [...violations, `the run itself: ${error instanceof Error ? error.stack : String(error)}`];
  }
  for (const violation of violations) say(`chaos: VIOLATION ${violation}`);
  await system.stop({ keep: violations.length > 0 });
  say(JSON.stringify({ seed, minutes, jobs: JOBS, faults, violations: violations.length }));
  return violations.length === 0 ? 0 : 1;
}

process.exitCode = await main();
