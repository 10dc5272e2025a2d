import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { AggregationTemporality, type CollectionResult, InstrumentType } from '@opentelemetry/sdk-metrics';

/**
 * Told when it is asked. A gauge tells what it reads at that moment and nothing besides: kept cumulatively, whatever it
 * once told it would tell for as long as the process lives.
 */
export class MetricsExporter extends PrometheusExporter {
  #collecting: Promise<CollectionResult> | undefined;

  constructor() {
    super({ preventServerStart: true, withoutScopeInfo: true });
  }

  /** One for all who ask meanwhile: of two, the first would take what the second has read. */
  override collect(...options: Parameters<PrometheusExporter['collect']>): Promise<CollectionResult> {
    this.#collecting ??= super.collect(...options).finally(() => (this.#collecting = undefined));
    return this.#collecting;
  }

  override selectAggregationTemporality(instrument: InstrumentType): AggregationTemporality {
    return instrument === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : AggregationTemporality.CUMULATIVE;
  }
}
