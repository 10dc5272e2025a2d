import { PUBLISHER, type Publisher, TransientError } from '@expunge/messaging';
import { LOGGER, SETTINGS } from '@expunge/runtime';
import { attribute, counter, currentTraceparent, metric } from '@expunge/telemetry';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { v7 } from 'uuid';
import { MonitorsAdapter } from '../monitors/monitors.adapter.js';
import { ProblemError } from '../problems/problem.js';
import type { ApiSettings } from '../settings.js';
import {
  type Acceptance,
  type Asked,
  begunAgain,
  deleteRequestedOf,
  isOnlyAttempt,
  jobIdOfKey,
  newAcceptance,
  type NextStep,
  nextStep,
  withDefaultRate,
} from './acceptance.js';
import {
  basedOnMismatch,
  keyReused,
  missingIndex,
  notAccepted,
  outcomeUnknown,
  storeAway,
  usedLongAgo,
} from './acceptance-problems.js';
import { AcceptanceRepository } from './acceptance.repository.js';
import { differenceFrom } from './based-on.js';
import { publishWithin } from './publish-within.js';
import { firstLookAt } from './unheard.js';

/** A race is lost only to somebody who moved the acceptance on to another state, and it has few. */
const MOST_LOST_RACES = 10;

type Permit = () => Promise<void>;
const unaccepted = ['not-accepted', 'outcome-unknown', 'error'];
const anything: Permit = () => Promise.resolve();

export interface Accepted {
  acceptance: Acceptance;
  /** Accepted by this very request, not by an earlier one with its key. */
  fresh: boolean;
}

/** Makes of a request an accepted job: stored, published, confirmed and marked, in this order, so that each step survives a crash. */
@Injectable()
export class AcceptService {
  private readonly counts = counter(metric.requests, 'Deletions asked for, by what was answered', '{request}');

  constructor(
    @Inject(AcceptanceRepository) private readonly acceptances: AcceptanceRepository,
    @Inject(MonitorsAdapter) private readonly monitors: MonitorsAdapter,
    @Inject(PUBLISHER) private readonly publisher: Publisher,
    @Inject(SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    // From the start: of a counter that is born with its first value nobody sees an increase.
    for (const outcome of unaccepted) this.counts.add(0, { [attribute.outcome]: outcome });
  }

  /**
   * @param permit is asked before a new job begins, and rejects where none may
   * @throws ProblemError not-accepted, outcome-unknown, idempotency-key-reused, missing-index, based-on-mismatch; what `permit` throws
   */
  async accept(asked: Asked, idempotencyKey: string | undefined, permit: Permit = anything): Promise<Accepted> {
    let outcome = 'error';
    try {
      const accepted = await this.attempt(asked, idempotencyKey, permit);
      outcome = 'accepted';
      return accepted;
    } catch (error) {
      if (error instanceof ProblemError) outcome = error.problem.code;
      throw error;
    } finally {
      this.counts.add(1, { [attribute.outcome]: outcome });
    }
  }

  private async attempt(asked: Asked, idempotencyKey: string | undefined, permit: Permit): Promise<Accepted> {
    const id = idempotencyKey === undefined ? v7() : jobIdOfKey(asked.tenant, idempotencyKey);
    const { REQUEST_VALID_FOR, DEFAULT_RATE } = this.settings;
    const acceptance = newAcceptance(id, asked, new Date(), REQUEST_VALID_FOR, currentTraceparent());
    const fresh = withDefaultRate(acceptance, DEFAULT_RATE);
    for (let lost = 0; lost < MOST_LOST_RACES; lost++) {
      const found = idempotencyKey === undefined ? null : await this.beforePublishing(this.acceptances.find(id));
      const step = nextStep(found, fresh.bodyHash, new Date());
      if (step === 'refuse-other-body') throw keyReused();
      if (found && step === 'answer') return { acceptance: found, fresh: false };
      const wasUsed = idempotencyKey !== undefined && !found && (await this.isKnown(id, asked.tenant));
      // Accepted since it was looked for: then the next look finds it.
      if (wasUsed && (await this.beforePublishing(this.acceptances.find(id)))) continue;
      if (wasUsed) throw usedLongAgo(id);
      if (step !== 'join') {
        await Promise.all([this.refuseMissingIndex(asked.request.resource), this.refuseOtherBasis(asked), permit()]);
      }
      const begun = await this.begin(found, fresh, step);
      if (begun) return { acceptance: await this.publish(begun), fresh: true };
    }
    throw outcomeUnknown(id);
  }

  /** The acceptance as this request's attempt has stored it; null when another request was faster. */
  private async begin(found: Acceptance | null, fresh: Acceptance, step: NextStep): Promise<Acceptance | null> {
    if (!found) return (await this.beforePublishing(this.acceptances.insert(fresh))) ? fresh : null;
    try {
      if (step === 'join') return await this.acceptances.join(found);
      const next = begunAgain(found, fresh);
      return (await this.acceptances.replace(found, next)) ? next : null;
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      throw found.state === 'pending' ? outcomeUnknown(found._id) : storeAway(error);
    }
  }

  private async publish(acceptance: Acceptance): Promise<Acceptance> {
    const outcome = await publishWithin(this.publisher, deleteRequestedOf(acceptance), this.settings.PUBLISH_WITHIN);
    if (outcome === 'confirmed') return this.accepted(acceptance);
    if (outcome === 'nobody-has-it' && isOnlyAttempt(acceptance) && (await this.refused(acceptance))) {
      throw notAccepted('The broker has no queue for the request, or is not reachable.');
    }
    throw outcomeUnknown(acceptance._id);
  }

  private async accepted(acceptance: Acceptance): Promise<Acceptance> {
    const { _id: job, tenant, request } = acceptance;
    try {
      await this.acceptances.markAccepted(job, firstLookAt(new Date()));
    } catch (error) {
      // What stays pending nobody publishes again but a repeat of the request: less than 202 promises.
      this.log.warn({ job, err: error }, 'acceptance stays marked pending');
      throw outcomeUnknown(job);
    }
    const [selection] = Object.keys(request.selection);
    this.log.info({ job, tenant, resource: request.resource, selection }, 'job accepted');
    return { ...acceptance, state: 'accepted' };
  }

  /** False when another attempt has joined meanwhile: what that one comes to is not known here. */
  private async refused(acceptance: Acceptance): Promise<boolean> {
    try {
      return await this.acceptances.replace(acceptance, { ...acceptance, state: 'refused' });
    } catch (error) {
      this.log.warn({ job: acceptance._id, err: error }, 'acceptance stays marked pending');
      return false;
    }
  }

  /** To a monitor. The acceptance is removed long before the job; a second request with its id the deleter would refuse. */
  private async isKnown(job: string, tenant: string): Promise<boolean> {
    return (await this.monitors.job(job, tenant)).kind === 'answer';
  }

  private async refuseMissingIndex(resource: string): Promise<void> {
    const missing = await this.monitors.missingIndexes(resource);
    if (missing !== null && missing.length > 0) throw missingIndex(resource, missing);
  }

  /** Where no monitor answers, the deleter alone compares. */
  private async refuseOtherBasis({ tenant, request }: Asked): Promise<void> {
    const { basedOn } = request.options;
    if (basedOn === undefined) return;
    const read = await this.monitors.job(basedOn, tenant);
    if (read.kind === 'unreachable') return;
    const job = read.kind === 'answer' && read.answer.job.tenant === tenant ? read.answer.job : null;
    const why = differenceFrom(job, request);
    if (why !== null) throw basedOnMismatch(basedOn, why);
  }

  private async beforePublishing<T>(stored: Promise<T>): Promise<T> {
    try {
      return await stored;
    } catch (error) {
      throw error instanceof TransientError ? storeAway(error) : error;
    }
  }
}
