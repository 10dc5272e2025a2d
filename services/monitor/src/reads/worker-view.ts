import type { WorkerView } from '@expunge/contracts';
import type { KnownWorker } from '../diagnosis/circumstances.js';

export function workerView({ beat, ageMs }: KnownWorker): WorkerView {
  const { service, instance, host, version, state, ready, startedAt, doing, problems = {} } = beat;
  return {
    service,
    instance,
    host,
    version,
    state,
    ready,
    heartbeatAgeMs: Math.max(0, ageMs),
    startedAt,
    doing,
    problems: Object.fromEntries(
      Object.entries(problems).map(([check, { code, message }]) => [check, `${code}: ${message}`]),
    ),
  };
}
