import { PUBLISHER, type Publisher } from '@expunge/messaging';
import { LOGGER, SETTINGS } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { v7 } from 'uuid';
import { AcceptanceRepository } from '../acceptance/acceptance.repository.js';
import { publishWithin } from '../acceptance/publish-within.js';
import type { Caller } from '../auth/claims.js';
import { unreachable } from '../jobs/read-problems.js';
import { MonitorsAdapter } from '../monitors/monitors.adapter.js';
import { ProblemError } from '../problems/problem.js';
import type { ApiSettings } from '../settings.js';
import { controlRequestOf } from './control-request.js';
import type { PausedAll } from './pause-all-answer.js';

const PAGE = 1000;
const AT_ONCE = 50;
/** Named in an answer, at most. */
const NAMED = 1000;

type ActiveJob = PausedAll['jobs'][number];

/** The brake for everything: whatever job of whichever tenant may still delete is asked to pause. */
@Injectable()
export class PauseAll {
  constructor(
    @Inject(MonitorsAdapter) private readonly monitors: MonitorsAdapter,
    @Inject(AcceptanceRepository) private readonly acceptances: AcceptanceRepository,
    @Inject(PUBLISHER) private readonly publisher: Publisher,
    @Inject(SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** @throws ProblemError monitor-unreachable; not-all-paused, which names those that may not have been asked */
  async pause(caller: Caller, reason: string | null, key: string = v7()): Promise<PausedAll> {
    const jobs = await this.active();
    this.log.warn({ by: caller.name, reason, jobs: jobs.length }, 'every job is asked to pause');
    const notAsked: ActiveJob[] = [];
    const waiting = [...jobs];
    const ask = async () => {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        if (!(await this.ask(job, caller, reason, key))) notAsked.push(job);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    const asked = jobs.length - notAsked.length;
    if (notAsked.length === 0) return { asked, jobs: jobs.slice(0, NAMED) };
    const detail = `Of ${jobs.length} jobs ${notAsked.length} may not have been asked to pause; asked again, they are.`;
    const said = { asked, not_asked: notAsked.slice(0, NAMED) };
    throw new ProblemError('not-all-paused', detail, said, { 'Retry-After': '2' });
  }

  private async ask({ id, tenant }: ActiveJob, caller: Caller, reason: string | null, key: string): Promise<boolean> {
    const body = { reason, maxRecordsPerSecond: null };
    const asked = { verb: 'pause' as const, job: id, tenant, requestedBy: caller.name, body, key };
    const request = controlRequestOf(asked, new Date());
    return (await publishWithin(this.publisher, request, this.settings.PUBLISH_WITHIN)) === 'confirmed';
  }

  /** What monitors know, and what was accepted and none has heard of. */
  private async active(): Promise<ActiveJob[]> {
    const found = new Map<string, ActiveJob>();
    // First: one that is heard of meanwhile is in the list that is read after it.
    for (const { _id: id, tenant } of await this.acceptances.promisedUnheard(new Date())) {
      const { kind } = await this.monitors.job(id, tenant);
      if (kind === 'unreachable') throw unreachable();
      if (kind === 'not-found') found.set(id, { id, tenant });
    }
    for (let after: string | null = ''; after !== null;) {
      const read = await this.monitors.activeJobs(after, PAGE);
      if (read.kind !== 'answer') throw unreachable();
      for (const job of read.answer.jobs) found.set(job.id, job);
      after = read.answer.next;
    }
    return [...found.values()];
  }
}
