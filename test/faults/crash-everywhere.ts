import { type LocalStack, prepareRecords, type ServiceName, serviceNames, startLocalStack } from '@expunge/local-stack';
import { CrashLane } from './crash-lane.js';
import { aimedAgain, countOf, type CrashPoint, describe, inEach, pointsOf, TRIES } from './crash-point.js';

/** Each with one job after the other, beside those of the others: after a death most of the time is waited for. */
const LANES = 4;
/** More would say the same. */
const ENOUGH_FAILURES = 10;

type OfEach<T> = Record<ServiceName, T>;

export interface CrashFigures {
  readonly name: 'crash points';
  readonly seconds: number;
  readonly lanes: number;
  /**
   * Calls of one job, the points before and after them, those that were tried, those at which the process died, and
   * those of a call that only a slower job makes, such as the look at the backlog before a second slice.
   */
  readonly services: OfEach<{ calls: number; points: number; tried: number; killed: number; absent: number }>;
  /** Jobs in which the process did not come by its point, and lived; points for which another call was taken then. */
  readonly again: number;
  readonly moved: number;
}

export interface Crashed {
  readonly figures: CrashFigures;
  /** Point by point, what does not hold. */
  readonly failures: OfEach<string[]>;
}

/**
 * Ends each service at its calls, one death a job, and asks the oracle after each.
 * @param every how many of a service's points there are to one that is tried; 1: all are
 */
export async function crashEverywhere(every: OfEach<number>, say: (line: string) => void): Promise<Crashed> {
  const stack = await startLocalStack();
  const run = new CrashRun(stack, every, say);
  let isClean = false;
  try {
    const crashed = await run.run();
    isClean = serviceNames.every((service) => crashed.failures[service].length === 0);
    return crashed;
  } finally {
    await run.stop();
    if (!isClean) say(`crash points: logs are in ${stack.run.logs}`);
    await stack.stop({ keep: !isClean });
  }
}

interface Trial {
  readonly service: ServiceName;
  readonly point: CrashPoint;
  /** The same, or the one that took its place. */
  readonly aim: CrashPoint;
  /** 1 for the first time. */
  readonly attempt: number;
}

class CrashRun {
  private readonly startedAt = performance.now();
  private readonly lanes: CrashLane[] = [];
  private starting: Promise<CrashLane>[] = [];
  private waiting: Trial[] = [];
  private again = 0;
  private moved = 0;
  private readonly killed = ofEach(() => 0);
  private readonly absent = ofEach(() => 0);
  private readonly failures = ofEach<string[]>(() => []);

  constructor(
    private readonly stack: LocalStack,
    private readonly every: OfEach<number>,
    private readonly say: (line: string) => void,
  ) {}

  async run(): Promise<Crashed> {
    await prepareRecords(this.stack);
    this.starting = Array.from({ length: LANES }, (_, index) => this.startLane(`lane${index + 1}`));
    // The first two record while the others start.
    const recordings = await Promise.all(this.starting.slice(0, 2).map(async (lane) => (await lane).record()));
    const calls = ofEach((service) => inEach(recordings.map((recording) => recording[service])));
    for (const service of serviceNames) this.say(`crash points: ${service}: ${calls[service].join(', ')}`);
    const chosen = ofEach((service) =>
      pointsOf(calls[service]).filter((_, index) => index % this.every[service] === 0),
    );
    this.waiting = longestFirst.flatMap((service) =>
      chosen[service].map((point) => ({ service, point, aim: point, attempt: 1 })),
    );
    await Promise.all(this.starting.map(async (lane) => this.work(await lane)));
    const services = ofEach((service) => ({
      calls: calls[service].length,
      points: pointsOf(calls[service]).length,
      tried: chosen[service].length,
      killed: this.killed[service],
      absent: this.absent[service],
    }));
    const seconds = Math.round((performance.now() - this.startedAt) / 1000);
    const { again, moved, failures } = this;
    return { figures: { name: 'crash points', seconds, lanes: LANES, services, again, moved }, failures };
  }

  async stop(): Promise<void> {
    this.waiting = [];
    await Promise.allSettled(this.starting);
    await Promise.all(this.lanes.map((lane) => lane.stop()));
  }

  private async startLane(name: string): Promise<CrashLane> {
    const lane = await CrashLane.start(this.stack, name);
    this.lanes.push(lane);
    return lane;
  }

  private async work(lane: CrashLane): Promise<void> {
    for (let trial = this.waiting.shift(); trial; trial = this.waiting.shift()) await this.tryOne(lane, trial);
    for (const service of serviceNames) this.note(service, await lane.parked(service), 'parked');
  }

  private async tryOne(lane: CrashLane, { service, point, aim, attempt }: Trial): Promise<void> {
    // One that lived may have kept what saved it the call.
    if (attempt > 1) await lane.restart(service);
    const { killed, calls, violations } = await lane.try(service, aim);
    this.note(service, violations, describe(aim));
    if (violations.length > 0) for (const line of lane.standing()) this.say(`crash points: ${line}`);
    if (killed) {
      this.killed[service] += 1;
      if (aim.nth !== point.nth) this.moved += 1;
    } else if (attempt < TRIES) {
      this.again += 1;
      this.waiting.push({ service, point, aim: aimedAgain(aim, attempt + 1, calls), attempt: attempt + 1 });
    } else if (countOf(calls, aim.call) === 0) this.absent[service] += 1;
    else this.note(service, [`not reached, by ${calls.join(', ')}`], describe(aim));
  }

  private note(service: ServiceName, violations: readonly string[], where: string): void {
    for (const violation of violations) {
      this.failures[service].push(`${where}: ${violation}`);
      this.say(`crash points: ${service}: ${where}: ${violation}`);
    }
    const failed = serviceNames.reduce((sum, one) => sum + this.failures[one].length, 0);
    if (failed >= ENOUGH_FAILURES) this.waiting = [];
  }
}

/** A job whose deleter died waits for deadlines: begun last, those would be waited for alone. */
const longestFirst: readonly ServiceName[] = ['deleter', 'monitor', 'storage-cleaner', 'api'];

function ofEach<T>(value: (service: ServiceName) => T): OfEach<T> {
  return Object.fromEntries(serviceNames.map((service) => [service, value(service)])) as OfEach<T>;
}
