import {
  ActiveJobsAnswer,
  type AsOf,
  DiagnosisAnswer,
  EventsAnswer,
  FailuresAnswer,
  HealthAnswer,
  JobAnswer,
  JobsAnswer,
  KnownJobsAnswer,
  type MissingIndex,
  ReadProblem,
  ResourcesAnswer,
  RollCallAnswer,
  WorkersAnswer,
} from '@expunge/contracts';
import { LOGGER, SETTINGS } from '@expunge/runtime';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { Agent, request } from 'undici';
import type { z } from 'zod';
import type { ApiSettings } from '../settings.js';

const ANSWER_WITHIN_MS = 2000;
/** A job's state at a moment is folded from its first event on. */
const FOLD_WITHIN_MS = 30_000;

export type MonitorAnswer<T> =
  | { kind: 'answer'; answer: T }
  | { kind: 'not-found' }
  /** There is such a job, but nothing had been heard of it at the moment asked for. */
  | { kind: 'not-known-then' }
  /** The monitor refuses the question; the text is its own. */
  | { kind: 'invalid' }
  /** No instance answered, in time and in the agreed form. */
  | { kind: 'unreachable' };

export interface JobsQuestion {
  tenant: string;
  status?: string | undefined;
  resource?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

export interface FailuresQuestion {
  tenant: string;
  cursor?: string | undefined;
  limit: number;
}

export interface EventsQuestion {
  tenant: string;
  after: number;
  limit: number;
}

/** Reads from whichever monitor answers, beginning with the one that answered last: a frozen one costs its time once. */
@Injectable()
export class MonitorsAdapter implements OnApplicationShutdown {
  private readonly urls: readonly string[];
  private readonly dispatcher = new Agent();
  private first = 0;

  constructor(
    @Inject(SETTINGS) settings: ApiSettings,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    this.urls = settings.MONITOR_URLS;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dispatcher.destroy();
  }

  job(id: string, tenant: string): Promise<MonitorAnswer<JobAnswer>> {
    return this.ask(`/internal/jobs/${encodeURIComponent(id)}`, { tenant }, JobAnswer);
  }

  jobs(question: JobsQuestion): Promise<MonitorAnswer<JobsAnswer>> {
    return this.ask('/internal/jobs', { ...question, limit: String(question.limit) }, JobsAnswer);
  }

  /** Of every tenant, by id from behind `after` on. */
  activeJobs(after: string, limit: number): Promise<MonitorAnswer<ActiveJobsAnswer>> {
    return this.ask('/internal/active-jobs', { after, limit: String(limit) }, ActiveJobsAnswer);
  }

  /** At most 200. */
  knownJobs(ids: readonly string[]): Promise<MonitorAnswer<KnownJobsAnswer>> {
    return this.ask('/internal/known-jobs', { ids: ids.join(',') }, KnownJobsAnswer);
  }

  failures(id: string, question: FailuresQuestion): Promise<MonitorAnswer<FailuresAnswer>> {
    const query = { ...question, limit: String(question.limit) };
    return this.ask(`/internal/jobs/${encodeURIComponent(id)}/failures`, query, FailuresAnswer);
  }

  diagnosis(id: string, tenant: string): Promise<MonitorAnswer<DiagnosisAnswer>> {
    return this.ask(`/internal/jobs/${encodeURIComponent(id)}/diagnosis`, { tenant }, DiagnosisAnswer);
  }

  workers(): Promise<MonitorAnswer<WorkersAnswer>> {
    return this.ask('/internal/workers', {}, WorkersAnswer);
  }

  rollCall(after: number, limit: number): Promise<MonitorAnswer<RollCallAnswer>> {
    return this.ask('/internal/workers/events', { after: String(after), limit: String(limit) }, RollCallAnswer);
  }

  health(): Promise<MonitorAnswer<HealthAnswer>> {
    return this.ask('/internal/health', {}, HealthAnswer);
  }

  events(id: string, { tenant, after, limit }: EventsQuestion): Promise<MonitorAnswer<EventsAnswer>> {
    const query = { tenant, after: String(after), limit: String(limit) };
    return this.ask(`/internal/jobs/${encodeURIComponent(id)}/events`, query, EventsAnswer);
  }

  /** As it was at a moment, given in UTC. */
  jobAt(id: string, tenant: string, at: string): Promise<MonitorAnswer<JobAnswer>> {
    return this.ask(`/internal/jobs/${encodeURIComponent(id)}/state`, { tenant, at }, JobAnswer, FOLD_WITHIN_MS);
  }

  /** Null when nobody can tell: no monitor answers, or no deleter was heard. The deleter checks again for itself. */
  async missingIndexes(resource: string): Promise<MissingIndex[] | null> {
    const read = await this.ask('/internal/resources', {}, ResourcesAnswer);
    if (read.kind !== 'answer') return null;
    return read.answer.resources.find((one) => one.name === resource)?.missingIndexes ?? null;
  }

  /** How fresh what monitors say is; null when none answers. */
  async asOf(): Promise<AsOf | null> {
    const read = await this.ask('/internal/resources', {}, ResourcesAnswer);
    return read.kind === 'answer' ? read.answer.asOf : null;
  }

  private async ask<T>(
    path: string,
    query: Record<string, string | undefined>,
    schema: z.ZodType<T>,
    withinMs = ANSWER_WITHIN_MS,
  ): Promise<MonitorAnswer<T>> {
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const search = new URLSearchParams(given).toString();
    const begin = this.first;
    for (let i = 0; i < this.urls.length; i++) {
      const index = (begin + i) % this.urls.length;
      const url = this.urls[index] ?? '';
      try {
        const answer = await this.askOne(`${url}${path}${search === '' ? '' : `?${search}`}`, schema, withinMs);
        this.first = index;
        return answer;
      } catch (error) {
        this.log.warn({ monitor: url, err: error }, 'monitor does not answer');
      }
    }
    return { kind: 'unreachable' };
  }

  /** Throws for whatever is no proper answer: another instance may give one. */
  private async askOne<T>(url: string, schema: z.ZodType<T>, withinMs: number): Promise<MonitorAnswer<T>> {
    const response = await request(url, {
      dispatcher: this.dispatcher,
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(withinMs),
    });
    const body: unknown = await response.body.json();
    const { statusCode } = response;
    if (statusCode === 200) return { kind: 'answer', answer: schema.parse(body) };
    const problem = ReadProblem.safeParse(body);
    const code = problem.data?.code;
    if (statusCode === 404 && (code === 'not-found' || code === 'not-known-then')) return { kind: code };
    if (statusCode === 400 && code === 'invalid') return { kind: 'invalid' };
    throw new Error(`answered ${statusCode}`);
  }
}
