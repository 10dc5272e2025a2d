import type { AsOf } from '@expunge/contracts';
import { PUBLISHER, type Publisher, TransientError } from '@expunge/messaging';
import { LOGGER, SETTINGS } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { AcceptanceRepository, type JobOfTenant } from '../acceptance/acceptance.repository.js';
import { publishWithin } from '../acceptance/publish-within.js';
import type { Caller } from '../auth/claims.js';
import { presentAsOf } from '../jobs/job-presenter.js';
import { MonitorsAdapter } from '../monitors/monitors.adapter.js';
import type { ApiSettings } from '../settings.js';
import { type ControlAsked, controlRequestOf, keyedBy } from './control-request.js';
import { KeyBindings } from './key-bindings.repository.js';
import type { PausedAll } from './pause-all-answer.js';
import { NAMED, notAllPaused, type NotChecked } from './pause-all-problem.js';

const PAGE = 1000;
/** Their ids stand in one address. */
const KNOWN_PAGE = 200;
const AT_ONCE = 50;

/** The brake for everything: whatever job of whichever tenant may still delete is asked to pause. */
@Injectable()
export class PauseAll {
  constructor(
    @Inject(MonitorsAdapter) private readonly monitors: MonitorsAdapter,
    @Inject(KeyBindings) private readonly keys: KeyBindings,
    @Inject(AcceptanceRepository) private readonly acceptances: AcceptanceRepository,
    @Inject(PUBLISHER) private readonly publisher: Publisher,
    @Inject(SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** @throws ProblemError idempotency-key-reused; not-all-paused: with those that may not have been asked, and who could not say which there are */
  async pause(caller: Caller, reason: string | null, key?: string): Promise<PausedAll> {
    const body = { reason, maxRecordsPerSecond: null };
    const place = [caller.tenant, 'pause-all'];
    if (key !== undefined) await this.keys.bind({ place, key, asked: keyedBy(key, body) });
    const { jobs, asOf, notChecked } = await this.active();
    this.log.warn({ by: caller.name, reason, jobs: jobs.length, notChecked }, 'every job is asked to pause');
    const notAsked: JobOfTenant[] = [];
    const waiting = jobs.values();
    const ask = async () => {
      for (const job of waiting) if (!(await this.ask(job, caller, body, key))) notAsked.push(job);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    const asked = jobs.length - notAsked.length;
    if (!asOf || notAsked.length > 0 || notChecked.length > 0) throw notAllPaused(asked, notAsked, notChecked);
    return { asked, jobs: jobs.slice(0, NAMED), as_of: presentAsOf(asOf) };
  }

  private async ask({ id, tenant }: JobOfTenant, caller: Caller, body: ControlAsked, key?: string): Promise<boolean> {
    const asked = { verb: 'pause' as const, job: id, tenant, requestedBy: caller.name, body, key };
    const request = controlRequestOf(asked, new Date());
    return (await publishWithin(this.publisher, request, this.settings.PUBLISH_WITHIN)) === 'confirmed';
  }

  /** What monitors know, and what was accepted and none has heard of. Whoever does not answer leaves the other's. */
  private async active(): Promise<{ jobs: JobOfTenant[]; asOf: AsOf | null; notChecked: NotChecked[] }> {
    // First: one that is heard of meanwhile is in the list that is read after it.
    const unheard = await orAway(this.unheard());
    const listed = await this.listed();
    // What has become of these nobody can say: over or not, they are asked.
    const kept = listed.asOf ? [] : await orAway(this.acceptances.kept(new Date()));
    const all = [...(unheard ?? []), ...listed.jobs, ...(kept ?? [])];
    return {
      asOf: listed.asOf,
      jobs: [...new Map(all.map((job) => [job.id, job])).values()],
      notChecked: [...(listed.asOf ? [] : ['monitor' as const]), ...(unheard && kept ? [] : ['acceptances' as const])],
    };
  }

  /** Accepted, and known to no monitor; as far as none can say, all that were lately. */
  private async unheard(): Promise<JobOfTenant[]> {
    const promised = await this.acceptances.promisedUnheard(new Date());
    const unheard: JobOfTenant[] = [];
    for (let from = 0; from < promised.length; from += KNOWN_PAGE) {
      const page = promised.slice(from, from + KNOWN_PAGE);
      const read = await this.monitors.knownJobs(page.map(({ id }) => id));
      if (read.kind !== 'answer') return promised;
      const known = new Set(read.answer.known);
      unheard.push(...page.filter(({ id }) => !known.has(id)));
    }
    return unheard;
  }

  /** `asOf` null: no monitor answers, or none any more. */
  private async listed(): Promise<{ jobs: JobOfTenant[]; asOf: AsOf | null }> {
    const jobs: JobOfTenant[] = [];
    let asOf: AsOf | null = null;
    for (let after: string | null = ''; after !== null;) {
      const read = await this.monitors.activeJobs(after, PAGE);
      if (read.kind !== 'answer') return { jobs, asOf: null };
      asOf ??= read.answer.asOf;
      jobs.push(...read.answer.jobs);
      after = read.answer.next;
    }
    return { jobs, asOf };
  }
}

/** Null when the store is away. */
async function orAway<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof TransientError) return null;
    throw error;
  }
}
