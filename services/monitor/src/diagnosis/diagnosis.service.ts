import type { Diagnosis, ResourceDefinition } from '@expunge/contracts';
import { sharedFor } from '@expunge/runtime';
import type { FoldMarkRepository } from '../fold/fold-mark.repository.js';
import type { StoredJob } from '../projection/job.repository.js';
import { comparedQueues } from '../topology/compared.js';
import type { TopologyWatch } from '../topology/topology-watch.service.js';
import type { HeardWorker, WorkerRepository } from '../workers/worker.repository.js';
import { type Circumstances, type KnownWorker } from './circumstances.js';
import { diagnose } from './diagnose.js';
import type { ParkedWatch } from './parked-watch.service.js';

const MINUTES_MS = 600_000;
/** Of no consequence beside heartbeats each 5 s; reads come by the hundred a second. */
const RECENT_MS = 100;

/** Gathers what verdicts rest on, and asks the rules. */
export class DiagnosisService {
  private readonly resourcesWithBucket: ReadonlySet<string>;

  constructor(
    private readonly watch: Pick<TopologyWatch, 'last'>,
    private readonly workers: WorkerRepository,
    private readonly marks: FoldMarkRepository,
    private readonly parked: Pick<ParkedWatch, 'byJob'>,
    resources: ReadonlyMap<string, ResourceDefinition>,
  ) {
    const withBucket = [...resources.values()].filter(({ bucket }) => typeof bucket === 'string');
    this.resourcesWithBucket = new Set(withBucket.map(({ name }) => name));
  }

  /**
   * As `circumstances`, or those of a moment ago: for many who ask at once.
   * @throws TransientError its database is away
   */
  readonly recent = sharedFor(RECENT_MS, () => this.circumstances());

  /** @throws TransientError its database is away */
  async circumstances(): Promise<Circumstances> {
    const [heard, { asOf, unfoldable, lagOfOthersMs }] = await Promise.all([
      this.workers.all(MINUTES_MS),
      this.marks.read(),
    ]);
    const { view: broker, paces } = this.watch.last();
    const known = ({ beat, receivedAt, ageMs }: Omit<HeardWorker, 'end'>): KnownWorker => ({
      beat,
      ageMs,
      heardAt: receivedAt.toISOString(),
    });
    const workers = heard.map(known);
    const since = (at: number) => new Date(at).toISOString();
    return {
      now: new Date(),
      broker,
      queues: comparedQueues(broker),
      paces,
      workers,
      ends: heard.flatMap(({ end }) => (end ? [known(end)] : [])),
      asOf,
      lagOfOthersMs,
      unfoldable: new Map(unfoldable.map((one) => [one.job, { ...one, since: since(one.since) }])),
      parked: this.parked.byJob(),
      notChecked: broker.notChecked,
      resourcesWithBucket: this.resourcesWithBucket,
    };
  }

  /** `since` is that of the verdict told last, where it is the same one. */
  of({ job, movedAt }: Pick<StoredJob, 'job' | 'movedAt'>, circumstances: Circumstances): Diagnosis {
    const diagnosis = diagnose({ job, movedAt }, circumstances);
    if (diagnosis.code === null) return diagnosis;
    const known = job.verdict?.code === diagnosis.code ? job.verdict.at : null;
    return { ...diagnosis, since: diagnosis.since ?? known ?? circumstances.now.toISOString() };
  }
}
