import { allWorkQueues, parkedQueue } from '@expunge/contracts';
import { attribute, gauge, metric } from '@expunge/telemetry';
import { within } from '@expunge/runtime';
import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Verdicts } from './diagnosis/verdicts.service.js';
import type { FoldMarkRepository } from './fold/fold-mark.repository.js';
import type { TopologyWatch } from './topology/topology-watch.service.js';

const ANSWER_WITHIN_MS = 1_000;

/** What a monitor knows of the whole system, for whoever asks for its metrics. Each instance tells all of it. */
export class MonitorMetrics implements OnApplicationBootstrap {
  constructor(
    private readonly verdicts: Pick<Verdicts, 'counted'>,
    private readonly marks: Pick<FoldMarkRepository, 'asOf'>,
    private readonly watch: Pick<TopologyWatch, 'last'>,
  ) {}

  onApplicationBootstrap(): void {
    gauge(metric.jobs, 'Jobs that are not over, by status', '{job}', () =>
      [...(this.verdicts.counted?.statuses ?? [])].map(([status, jobs]) => [jobs, { [attribute.status]: status }]),
    );
    gauge(metric.verdicts, 'Jobs with a verdict on why they do not move', '{job}', () =>
      [...(this.verdicts.counted?.codes ?? [])].map(([code, jobs]) => [jobs, { [attribute.code]: code }]),
    );
    gauge(metric.foldLag, 'How far the projection is behind, where somebody knows', 's', () => this.seconds('lagMs'));
    gauge(metric.foldHeartbeatAge, 'Since a monitor that folds said so', 's', () =>
      this.seconds('monitorHeartbeatAgeMs'),
    );
    gauge(metric.parked, 'Messages that were given up on', '{message}', () => this.parked());
  }

  /** A database that does not answer must not hold up the others. */
  private async seconds(what: 'lagMs' | 'monitorHeartbeatAgeMs'): Promise<[number][]> {
    const ms = (await within(ANSWER_WITHIN_MS, this.marks.asOf()))[what];
    return ms === null ? [] : [[ms / 1000]];
  }

  private parked(): [number, Record<string, string>][] {
    const { queues } = this.watch.last().view;
    return allWorkQueues.flatMap(({ name }) => {
      const found = queues?.find((queue) => queue.name === parkedQueue(name));
      return found ? [[found.ready, { [attribute.messaging.destination]: name }]] : [];
    });
  }
}
