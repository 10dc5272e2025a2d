import type { LedgerEventView } from '@expunge/contracts';
import type { ShownJob } from '../jobs/job-answers.js';

/** Frames of a stream of server-sent events. Data are one line: JSON has no line breaks. */
const frame = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** The one kind that has an id: where it ends, a stream is resumed. */
export const eventFrame = (event: LedgerEventView): string => `id: ${event.position}\n${frame('event', event)}`;
export const jobFrame = (job: ShownJob): string => frame('job', job);
export const endFrame = ({ id, status }: Pick<ShownJob, 'id' | 'status'>): string => frame('end', { id, status });
export const retryFrame = (ms: number): string => `retry: ${Math.round(ms)}\n\n`;
/** A comment: for whoever is between, and would close what is silent. */
export const HEARTBEAT = ': heartbeat\n\n';

const settled: readonly string[] = ['completed', 'completed_with_residue', 'failed', 'cancelled'];

/** Nothing more becomes of it by itself. */
export const isOver = ({ status, progress, last_request: last }: ShownJob): boolean =>
  settled.includes(status) && progress.objects.pending === 0 && last?.outcome !== 'pending';
