import {
  allWorkQueues,
  type DiagnosisAnswer,
  type HealthAnswer,
  type RollCallAnswer,
  type WorkersAnswer,
} from '@expunge/contracts';
import { Controller, Get, Inject, Param, Query, UseFilters } from '@nestjs/common';
import { DiagnosisService } from '../diagnosis/diagnosis.service.js';
import { FoldMarkRepository } from '../fold/fold-mark.repository.js';
import { LedgerRepository } from '../ledger/ledger.repository.js';
import { JobRepository } from '../projection/job.repository.js';
import { isTransient, listensToMaintenance } from '../topology/compared.js';
import { eventView } from './event-view.js';
import { healthOf } from './health.js';
import { ownJob } from './own-job.js';
import { JobQuery, RollCallQuery } from './queries.js';
import { parseQuery, ReadProblemFilter } from './read-problem.filter.js';
import { workerView } from './worker-view.js';

/** What is known of broker and workers, and what follows for a job. For the api alone, as `ReadsController`. */
@Controller('internal')
@UseFilters(ReadProblemFilter)
export class TopologyReadsController {
  constructor(
    @Inject(DiagnosisService) private readonly diagnosis: DiagnosisService,
    @Inject(JobRepository) private readonly jobs: JobRepository,
    @Inject(LedgerRepository) private readonly ledger: LedgerRepository,
    @Inject(FoldMarkRepository) private readonly marks: FoldMarkRepository,
  ) {}

  @Get('jobs/:id/diagnosis')
  async ofJob(@Param('id') id: string, @Query() query: unknown): Promise<DiagnosisAnswer> {
    const { tenant } = parseQuery(JobQuery, query);
    const circumstances = await this.diagnosis.recent();
    const stored = await ownJob(this.jobs, id, tenant);
    return { asOf: circumstances.asOf, diagnosis: this.diagnosis.of(stored, circumstances) };
  }

  @Get('workers')
  async workers(): Promise<WorkersAnswer> {
    const { asOf, broker, queues, workers, notChecked } = await this.diagnosis.recent();
    return {
      asOf,
      at: broker.at,
      configuredQueues: allWorkQueues.map(({ name }) => name),
      allKnownQueues: (broker.queues ?? []).map(({ name }) => name).filter((name) => !isTransient(name)),
      listensToMaintenance: listensToMaintenance(queues),
      queues: [...queues],
      workers: workers.map(workerView),
      notChecked: [...notChecked],
    };
  }

  @Get('workers/events')
  async rollCall(@Query() query: unknown): Promise<RollCallAnswer> {
    const { after, limit } = parseQuery(RollCallQuery, query);
    const asOf = await this.marks.asOf();
    const found = await this.ledger.eventsOf(null, after, limit + 1);
    const page = found.slice(0, limit);
    return { asOf, events: page.map(eventView), next: found.length > limit ? (page.at(-1)?.position ?? null) : null };
  }

  @Get('health')
  async health(): Promise<HealthAnswer> {
    return healthOf(await this.diagnosis.recent());
  }
}
