import { createHash } from 'node:crypto';
import { type DeleteRequested, type ErrorInfo, type ResourceDefinition, selectionFor } from '@expunge/contracts';
import { type Publisher, TransientError, ValidationError } from '@expunge/messaging';
import { currentTraceparent } from '@expunge/telemetry';
import type { Logger } from 'pino';
import type { BrakesService } from './brakes.service.js';
import { awaitConfirmation, finishDryRun } from './deletion-job/brakes.js';
import { type DeletionJob, hasTurns } from './deletion-job/deletion-job.js';
import { refusalOf } from './deletion-job/control.js';
import { traced } from './deletion-job/emit.js';
import { failAtStart, startJob } from './deletion-job/start-job.js';
import { HeldJob } from './held-job.js';
import type { JobRepository } from './jobs/job.repository.js';
import type { Outbox } from './outbox.service.js';
import { createCommand } from './records/indexes.js';
import type { Scope } from './records/record-filters.js';
import type { Records } from './records/records.js';
import type { Turns } from './turns.service.js';

/** While a new RESOURCES_FILE is rolled out, the next attempt may meet a deleter that knows the resource. */
const NEW_RESOURCE_MS = 60_000;

/** Turns DeleteRequested into a job, once, however often it arrives. */
export class DeleteRequestService {
  constructor(
    private readonly jobs: JobRepository,
    private readonly records: Records,
    private readonly brakes: BrakesService,
    private readonly outbox: Outbox,
    private readonly turns: Turns,
    private readonly publisher: Publisher,
    private readonly resources: ReadonlyMap<string, ResourceDefinition>,
    private readonly options: { instance: string; log: Logger },
  ) {}

  /** Done only when outbox and slice are out: the message is what brings them out if this worker dies. */
  async accept(request: DeleteRequested): Promise<void> {
    // A tenant with a slash would have its keys under another tenant's prefix.
    if (!request.tenantid || request.tenantid.includes('/')) throw new ValidationError('the request names no tenant');
    const bodyHash = hashOf(request);
    const log = this.options.log.child({ job: request.subject });
    let job = await this.jobs.read(request.subject);
    if (!job) {
      if (Date.parse(request.data.notAfter) < Date.now()) {
        return this.refuse(request, bodyHash, 'expired', `was valid until ${request.data.notAfter}`);
      }
      const fresh = traced(await this.begin(request, bodyHash), currentTraceparent());
      job = (await this.jobs.insert(fresh)) ? fresh : await this.jobs.read(request.subject);
      if (job === fresh)
        log.info(
          { tenant: job.tenant, resource: request.data.resource, total: job.total, state: job.state },
          'job taken on',
        );
    }
    if (job?.bodyHash === null && job.tenant === request.tenantid) {
      log.info('was cancelled before it was requested');
      return new HeldJob(job, this.jobs, this.outbox).settle();
    }
    if (job?.bodyHash !== bodyHash) {
      return this.refuse(request, bodyHash, 'conflict', 'another request has this job id');
    }
    // A job that is past its start is its slices' and the watchdog's: a write from here would cost a live slice its place.
    if (hasTurns(job) && !job.outbox.some((event) => event.sequence === 1)) return;
    const held = new HeldJob(job, this.jobs, this.outbox);
    await held.settle();
    if (hasTurns(job)) await this.turns.first(job.id, held.lane.turn);
  }

  private async begin(request: DeleteRequested, bodyHash: string): Promise<DeletionJob> {
    const { instance } = this.options;
    const resource = this.resources.get(request.data.resource);
    const failed = (error: ErrorInfo) => failAtStart(request, { bodyHash, error, instance, now: new Date() });
    if (!resource) {
      const unknown = { code: 'UNKNOWN_RESOURCE', message: `this deleter knows no resource ${request.data.resource}` };
      const isNew = Date.now() - Date.parse(request.time) < NEW_RESOURCE_MS;
      if (isNew) throw new TransientError(unknown.code, unknown.message);
      return failed(unknown);
    }
    const error = await this.obstacle(request, resource);
    if (error) return failed(error);
    const bounded = await this.brakes.bound(request, resource);
    if ('code' in bounded) return failed(bounded);
    const { bound } = bounded;
    const { selection, options } = request.data;
    const scope: Scope = { tenant: request.tenantid ?? '', selection, bound };
    const total = await this.records.count(resource, scope);
    const started = () => startJob(request, { bodyHash, bound, total, instance, now: new Date() });
    if (options.dryRun) return finishDryRun(started(), await this.brakes.dryRun(resource, scope, total), new Date());
    const { brake, counted } = await this.brakes.atStart(options, resource, scope, total);
    if (brake.brake === 'fail') return failed(brake.error);
    return brake.brake === 'none' ? started() : awaitConfirmation(started(), counted, brake.limit, new Date());
  }

  /** What makes the request impossible; checked here again, since it may have waited, or not come from the api. */
  private async obstacle(request: DeleteRequested, resource: ResourceDefinition): Promise<ErrorInfo | null> {
    const selection = selectionFor(resource).safeParse(request.data.selection);
    if (!selection.success) {
      const [issue] = selection.error.issues;
      return { code: 'INVALID_SELECTION', message: `selection.${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}` };
    }
    const missing = await this.records.missingIndexes(resource);
    if (missing.length === 0) return null;
    const commands = missing.map((keys) => createCommand(resource, keys)).join('; ');
    return { code: 'MISSING_INDEX', message: `create the missing index first: ${commands}` };
  }

  private async refuse(
    request: DeleteRequested,
    bodyHash: string,
    reason: 'expired' | 'conflict',
    message: string,
  ): Promise<void> {
    this.options.log.warn({ job: request.subject, reason }, `request refused: ${message}`);
    const { id, type, subject: job, tenantid: tenant } = request;
    await this.publisher.publish(refusalOf({ id, type, job, tenant }, { reason, message }, new Date(), bodyHash));
  }
}

/** Of what is asked; not of when it was sent or traced. */
function hashOf(request: DeleteRequested): string {
  return createHash('sha256')
    .update(JSON.stringify([request.tenantid, request.time, request.data]))
    .digest('hex');
}
