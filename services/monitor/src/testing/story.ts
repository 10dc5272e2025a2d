import {
  type AnyMessage,
  BatchDelayed,
  BatchDeleted,
  CancelRequested,
  ConfirmationAwaited,
  ConfirmRequested,
  DeleteRequested,
  deleteRequestedId,
  DeletionCancelled,
  deletionEventId,
  DeletionFailed,
  DeletionFinished,
  DeletionPaused,
  DeletionResumed,
  DeletionStarted,
  DryRunFinished,
  type InBucket,
  JobCompleted,
  JobDiagnosisChanged,
  jobDiagnosisId,
  type MessageDefinition,
  ObjectPurgeDelayed,
  ObjectPurgeFailed,
  ObjectsChecked,
  ObjectsPurged,
  PauseRequested,
  type Positions,
  positions,
  PurgeRequested,
  PurgesRetried,
  RateChanged,
  RecordsVerified,
  type RecordFailure,
  RequestRefused,
  ResumeRequested,
  RetryRequested,
  type Selection,
  type Severity,
  type Totals,
} from '@expunge/contracts';

/** Tells a job's history for tests: numbers the deleter's events, keeps their totals, lets a second pass with each. */
export class Story {
  readonly events: AnyMessage[] = [];
  totals: Totals = { batches: 0, succeeded: 0, failed: 0, objects: 0, retained: 0 };
  private sequence = 0;
  private finishedAt = 0;
  private seconds = 0;
  private now: string;

  constructor(
    readonly job = 'job-1',
    private readonly start = Date.parse('2026-11-01T10:00:00.000Z'),
    readonly tenant = 'tenant-1',
  ) {
    this.now = new Date(start).toISOString();
  }

  /** The time of the last event, plus some seconds. */
  after(seconds: number): Date {
    return new Date(Date.parse(this.now) + seconds * 1000);
  }

  requested(selection: Selection = { all: true }, resource = 'receipts'): this {
    return this.say(DeleteRequested, 'api', deleteRequestedId(this.job), {
      ...this.actor(),
      resource,
      selection,
      options: { batchSize: 500 },
      notAfter: new Date(this.start + 86_400_000).toISOString(),
    });
  }

  started(total: number | null = null, instance = 'deleter-1'): this {
    const request = {
      ...this.actor(),
      resource: 'receipts',
      selection: { all: true as const },
      options: { batchSize: 500 },
      notAfter: new Date(this.start + 86_400_000).toISOString(),
    };
    const requestedAt = new Date(this.start + 1000).toISOString();
    const bound = { idAtMost: 'ffffffffffffffffffffffff' };
    return this.next(DeletionStarted, { request, requestedAt, bound, instance, total, totalIsEstimate: false });
  }

  batch(
    count: number,
    keys: number,
    { failures = [], retained = [], ...where }: { failures?: RecordFailure[]; retained?: string[] } & InBucket = {},
  ): this {
    const t = this.totals;
    this.totals = {
      batches: t.batches + 1,
      succeeded: t.succeeded + count,
      failed: t.failed + failures.length,
      objects: t.objects + keys,
      retained: t.retained + retained.length,
    };
    return this.next(BatchDeleted, {
      batch: this.totals.batches,
      count,
      objectKeys: Array.from({ length: keys }, (_, i) => `tenants/t/${this.totals.batches}/${i}`),
      retained,
      failures,
      totals: this.totals,
      instance: 'deleter-1',
      turn: 1,
      startedAt: this.now,
      ...where,
    });
  }

  delayed(seconds = 2, code = 'RECORDS_UNAVAILABLE', cause: BatchDelayed['data']['cause'] = 'store'): this {
    const retryAt = this.after(1 + seconds).toISOString();
    const error = { code, message: 'no server answers' };
    return this.next(BatchDelayed, { cause, attempt: 1, error, retryAt, instance: 'deleter-1' });
  }

  pauseRequested = (id: string) => this.say(PauseRequested, 'api', id, this.actor());
  resumeRequested = (id: string) => this.say(ResumeRequested, 'api', id, this.actor());
  confirmRequested = (id: string) => this.say(ConfirmRequested, 'api', id, this.actor());
  retryRequested = (id: string) => this.say(RetryRequested, 'api', id, this.actor());
  cancelRequested = (id: string) => this.say(CancelRequested, 'api', id, this.actor());
  paused = (requestId: string) => this.next(DeletionPaused, this.answer(requestId));
  resumed = (requestId: string) => this.next(DeletionResumed, this.answer(requestId));
  retried = (requestId: string) =>
    this.next(DeletionResumed, { ...this.answer(requestId), requestType: 'RetryRequested' });
  rateChanged = (requestId: string, maxRecordsPerSecond: number | null) =>
    this.next(RateChanged, { ...this.answer(requestId), maxRecordsPerSecond });
  cancelled = (requestId: string) => this.next(DeletionCancelled, this.answer(requestId));
  confirmed = (requestId: string) =>
    this.next(DeletionResumed, { ...this.answer(requestId), requestType: 'ConfirmRequested' });
  confirmationAwaited = (total: number, limit: number, totalIsEstimate = false) =>
    this.next(ConfirmationAwaited, { total, totalIsEstimate, limit });
  dryRunFinished = (total: number, sample: DryRunFinished['data']['sample'] = []) =>
    this.next(DryRunFinished, { total, totalIsEstimate: true, bound: { idAtMost: null }, sample });
  finished(): this {
    this.finishedAt = this.sequence + 1;
    return this.next(DeletionFinished, { totals: this.totals, instance: 'deleter-1' });
  }

  failed(code = 'RECORDS_DENIED'): this {
    const error = { code, message: 'not authorized' };
    return this.next(DeletionFailed, { error, totals: this.totals, instance: 'deleter-1' });
  }

  refused(requestId: string, requestType: string, reason: 'conflict' | 'expired' | 'superseded'): this {
    const data = { requestId, requestType, reason, message: `${requestType} is ${reason}` };
    return this.say(RequestRefused, 'deleter', `${requestId}:refused`, data);
  }

  purged(batch: number, which: Positions): this {
    const id = `${this.job}:${batch}:purged:${positions.format(which)}`;
    return this.say(ObjectsPurged, 'storage-cleaner', id, { batch, positions: which, instance: 'cleaner-1' });
  }

  purgeFailed(batch: number, which: Positions, round?: number): this {
    const id = `${this.job}:${batch}:failed:${positions.format(which)}:${round ?? ''}`;
    const objectKeys = [...positions.each(which)].map((i) => `tenants/t/${batch}/${i}`);
    const code = 'AccessDenied';
    const said = { batch, positions: which, instance: 'cleaner-1', code, message: 'denied', objectKeys };
    return this.say(ObjectPurgeFailed, 'storage-cleaner', id, { ...said, ...(round && { round }) });
  }

  completed(message: JobCompleted): this {
    return this.say(JobCompleted, 'monitor', message.id, message.data);
  }

  purgesRetried = (requestId: string) => this.next(PurgesRetried, this.answer(requestId));

  /** The deleter asks for what failed before this retry of the job. */
  askedAgain(batch: number, which: Positions, round: number, retained: Positions = [], where: InBucket = {}): this {
    const objectKeys = [...positions.each(which)].map((i) => `tenants/t/${batch}/${i}`);
    const since = this.after(1).toISOString();
    return this.next(PurgeRequested, { batch, positions: which, objectKeys, since, round, retained, ...where });
  }

  recordsVerified(left = 0, chunks = 1): this {
    const firstLeft = Array.from({ length: left }, (_, i) => `left-${i}`);
    const data = { finished: this.finishedAt, left, firstLeft, otherTypes: 0, isComplete: true, chunks };
    return this.next(RecordsVerified, { ...data, instance: 'deleter-1' });
  }

  objectsChecked(chunk = 1, present: [batch: number, Positions][] = [], finished = this.finishedAt): this {
    const id = `${this.job}:checked:${finished}:${chunk}:${JSON.stringify(present)}`;
    return this.say(ObjectsChecked, 'storage-cleaner', id, {
      finished,
      chunk,
      checked: 10,
      present: present.map(([batch, which]) => ({
        batch,
        positions: which,
        objectKeys: [...positions.each(which)].map((i) => `tenants/t/${batch}/${i}`),
      })),
      refused: [],
      refusal: null,
      instance: 'cleaner-1',
    });
  }

  purgeDelayed(batch: number, which: Positions, seconds: number, round?: number): this {
    const retryAt = this.after(1 + seconds).toISOString();
    const id = `${this.job}:${batch}:delayed:${retryAt}:${round ?? ''}`;
    const said = { batch, positions: which, instance: 'cleaner-1', code: '503', message: 'away', attempt: 1, retryAt };
    const data = { ...said, ...(round && { round }) };
    return this.say(ObjectPurgeDelayed, 'storage-cleaner', id, data);
  }

  diagnosed(number: number, code: 'CONSUMER:NONE' | null, severity: Severity | null): this {
    const summary = code === null ? null : 'Nobody consumes deleter.slices.';
    const said = { number, code, severity, summary, previous: null };
    return this.say(JobDiagnosisChanged, 'monitor', jobDiagnosisId(this.job, number), said);
  }

  /** Nothing is told for so long. */
  silent(seconds: number): this {
    this.seconds += seconds;
    return this;
  }

  private actor = () => ({ requestedBy: 'ann', reason: 'closing the account' });
  private answer = (requestId: string) => ({ requestId, by: 'ann', reason: null, totals: this.totals });

  private next<D>(definition: MessageDefinition<string, D>, data: NoInfer<D>): this {
    this.sequence += 1;
    return this.say(definition, 'deleter', deletionEventId(this.job, this.sequence), data, this.sequence);
  }

  private say<D>(
    definition: MessageDefinition<string, D>,
    source: string,
    id: string,
    data: NoInfer<D>,
    sequence?: number,
  ): this {
    this.seconds += 1;
    this.now = new Date(this.start + this.seconds * 1000).toISOString();
    const { job: subject, now: time, tenant: tenantid } = this;
    this.events.push(
      definition.create({ id, source, subject, time, tenantid, data, ...(sequence ? { sequence } : {}) }) as AnyMessage,
    );
    return this;
  }
}
