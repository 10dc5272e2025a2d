import { LOGGER, SETTINGS } from '@expunge/runtime';
import { Inject, Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';
import type { Logger } from 'pino';
import { JobHistory } from '../jobs/job-history.service.js';
import { JobReads } from '../jobs/job-reads.service.js';
import { ProblemError } from '../problems/problem.js';
import type { ApiSettings } from '../settings.js';
import { JobFeed } from './job-feed.js';
import type { StreamClient } from './stream-client.js';
import { beginningOf } from './stream-start.js';

const BEAT_EVERY_MS = 15_000;
/** Provided where quiet streams need a comment sooner, as in a test. Milliseconds. */
export const BEAT_EVERY = Symbol('BeatEvery');
const PAGE = 500;
/** Those sent away at once do not come back at once. */
const COMES_BACK_AFTER_MS = 1_000;
const COMES_BACK_WITHIN_MS = 5_000;

/** The streams that are open on this instance, and the jobs that they follow. */
@Injectable()
export class Streams implements OnModuleDestroy {
  private readonly feeds = new Map<string, JobFeed>();
  private readonly clients = new Map<StreamClient, string>();
  private readonly beating: NodeJS.Timeout;
  private isClosing = false;

  constructor(
    @Inject(JobReads) private readonly reads: JobReads,
    @Inject(JobHistory) private readonly history: JobHistory,
    @Inject(SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly log: Logger,
    @Optional() @Inject(BEAT_EVERY) beatEveryMs = BEAT_EVERY_MS,
  ) {
    this.beating = setInterval(() => this.beat(), beatEveryMs).unref();
  }

  get open(): number {
    return this.clients.size;
  }

  /** @throws ProblemError too-many-streams */
  admit(tenant: string): void {
    const most = this.settings.STREAMS_PER_TENANT;
    const open = [...this.clients.values()].filter((one) => one === tenant).length;
    if (open < most) return;
    throw new ProblemError(
      'too-many-streams',
      `The tenant has ${most} streams open here.`,
      {},
      { 'Retry-After': '30' },
    );
  }

  /** Until the job is over, or the client has gone. @throws ProblemError monitor-unreachable, not-found */
  async follow(job: string, tenant: string, client: StreamClient): Promise<void> {
    this.clients.set(client, tenant);
    const feed = this.feedOf(job, tenant);
    client.response.once('close', () => {
      this.clients.delete(client);
      feed.leave(client);
      this.forget(job, feed);
    });
    if (this.isClosing) client.sendAway(comesBackAfter());
    else await feed.follow(client).finally(() => this.forget(job, feed));
  }

  /** @throws ProblemError monitor-unreachable, not-found */
  async hasNothingAfter(job: string, tenant: string, position: number): Promise<boolean> {
    const after = await this.beginning(job, tenant, position);
    const { events } = await this.history.events(job, { after, limit: 1 }, tenant);
    return events.length === 0;
  }

  changed(job: string): void {
    this.feeds.get(job)?.wanted();
  }

  onModuleDestroy(): void {
    this.isClosing = true;
    clearInterval(this.beating);
    for (const client of this.clients.keys()) client.sendAway(comesBackAfter());
  }

  private async beginning(job: string, tenant: string, asked: number): Promise<number> {
    if (asked === 0) return 0;
    const { events, as_of } = await this.history.events(job, { after: asked - 1, limit: 1 }, tenant);
    return beginningOf(asked, events.length, as_of.position);
  }

  private feedOf(job: string, tenant: string): JobFeed {
    const known = this.feeds.get(job);
    if (known) return known;
    const source = {
      beginning: (asked: number) => this.beginning(job, tenant, asked),
      events: (after: number) => this.history.events(job, { after, limit: PAGE }, tenant),
      job: () => this.reads.job(job, tenant),
    };
    const feed = new JobFeed(source, (err) => this.log.warn({ err, job }, 'a stream waits for a monitor'));
    this.feeds.set(job, feed);
    return feed;
  }

  private forget(job: string, feed: JobFeed): void {
    if (feed.isIdle && this.feeds.get(job) === feed) this.feeds.delete(job);
  }

  private beat(): void {
    for (const client of this.clients.keys()) client.beat();
  }
}

const comesBackAfter = (): number => COMES_BACK_AFTER_MS + Math.random() * COMES_BACK_WITHIN_MS;
