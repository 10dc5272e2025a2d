import { PUBLISHER, type Publisher } from '@expunge/messaging';
import { LOGGER, SETTINGS } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { notAccepted, requestOutcomeUnknown } from '../acceptance/acceptance-problems.js';
import { publishWithin } from '../acceptance/publish-within.js';
import type { Caller } from '../auth/claims.js';
import type { ShownJob } from '../jobs/job-answers.js';
import { JobReads } from '../jobs/job-reads.service.js';
import { ProblemError } from '../problems/problem.js';
import type { ApiSettings } from '../settings.js';
import { type ControlAsked, controlRequestOf, isForbidden, keyedBy, type Verb } from './control-request.js';
import { KeyBindings } from './key-bindings.repository.js';

/** Hands a request on to the deleter, which decides; what becomes of it shows as `last_request`. */
@Injectable()
export class Control {
  constructor(
    @Inject(JobReads) private readonly reads: JobReads,
    @Inject(KeyBindings) private readonly keys: KeyBindings,
    @Inject(PUBLISHER) private readonly publisher: Publisher,
    @Inject(SETTINGS) private readonly settings: ApiSettings,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** @throws ProblemError not-found, idempotency-key-reused, not-allowed, not-accepted, outcome-unknown, monitor-unreachable */
  async ask(verb: Verb, job: string, caller: Caller, body: ControlAsked, key: string | undefined): Promise<ShownJob> {
    const shown = await this.reads.jobToBeAsked(job, caller.tenant);
    const asked = { verb, job, tenant: caller.tenant, requestedBy: caller.name, body, key };
    const request = controlRequestOf(asked, new Date());
    const place = [caller.tenant, job, verb];
    const keyed = key === undefined ? null : { place, key, asked: keyedBy(key, body) };
    const isBound = keyed !== null && (await this.keys.isBound(keyed));
    const isLast = shown.last_request?.id === request.id;
    if (isLast && shown.last_request?.outcome !== 'pending') return shown;
    // What no monitor has told is no reason to refuse.
    const isKnown = !shown.not_checked.includes('monitor');
    if (isKnown && !isLast && !isBound && isForbidden(verb, shown.status, shown.last_request)) {
      throw new ProblemError('not-allowed', `The job is ${shown.status}.`, { job_status: shown.status });
    }
    if (keyed && !isBound) await this.keys.bind(keyed);
    const outcome = await publishWithin(this.publisher, request, this.settings.PUBLISH_WITHIN);
    if (outcome === 'nobody-has-it') {
      throw notAccepted('The broker has no queue for the request, or is not reachable.');
    }
    if (outcome === 'unknown') throw requestOutcomeUnknown(job);
    const { id, type, time: at } = request;
    this.log.info(
      { job, tenant: caller.tenant, request: type, by: caller.name, reason: body.reason },
      'request accepted',
    );
    return { ...shown, last_request: { id, type, outcome: 'pending', reason: null, at } };
  }
}
