import { type Positions, positions } from '@expunge/contracts';
import { attribute, counter, metric } from '@expunge/telemetry';
import type { PurgeOutcome } from './purge-outcome.js';

/** Counts what became of objects. One that is tried again is counted each time. */
export class PurgeMetrics {
  private readonly objects = counter(metric.objects, 'Objects by what the bucket said, and its code', '{object}');

  tell({ purged, permanent, transient }: PurgeOutcome): void {
    this.add(purged, 'purged', null);
    for (const [code, { positions: which }] of permanent) this.add(which, 'refused', code);
    for (const [code, { positions: which }] of transient) this.add(which, 'delayed', code);
  }

  private add(which: Positions, outcome: string, code: string | null): void {
    const count = positions.count(which);
    if (count === 0) return;
    this.objects.add(count, { [attribute.outcome]: outcome, ...(code !== null && { [attribute.code]: code }) });
  }
}
