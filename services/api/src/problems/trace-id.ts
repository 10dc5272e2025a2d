import { randomBytes } from 'node:crypto';
import { traceIds } from '@expunge/telemetry';

/** Of a request. Where nothing is traced it still finds the line in the log. */
export const traceId = (): string => traceIds()?.trace_id ?? randomBytes(16).toString('hex');
