import {
  CancelRequested,
  ConfirmRequested,
  type ControlRequest,
  PauseRequested,
  ResumeRequested,
} from '@expunge/contracts';
import { request } from '../../src/deletion-job/given.js';

/** Its number is when it was made. */
export type Control = `${'pause' | 'resume' | 'cancel' | 'confirm'}-${number}`;

export const DELETE = 'delete';

const definitions = {
  pause: PauseRequested,
  resume: ResumeRequested,
  cancel: CancelRequested,
  confirm: ConfirmRequested,
};

/** Made once each: a search asks for them at every step. */
const made = new Map<string, ControlRequest>();

export function controlRequest(id: string): ControlRequest {
  const request = made.get(id) ?? create(id);
  made.set(id, request);
  return request;
}

function create(id: string): ControlRequest {
  const [verb, second] = id.split('-') as [keyof typeof definitions, string];
  return definitions[verb].create({
    id,
    source: 'urn:expunge:api',
    subject: request.subject,
    time: new Date(Date.UTC(2026, 0, 1, 0, 1, Number(second))).toISOString(),
    tenantid: request.tenantid,
    data: { requestedBy: 'ann', reason: null },
  });
}
