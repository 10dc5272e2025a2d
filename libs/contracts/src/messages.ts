import * as batch from './batch-events.js';
import * as deletion from './deletion-events.js';
import { Envelope, type Message, type MessageDefinition } from './envelope.js';
import * as job from './job-events.js';
import * as objects from './object-events.js';
import * as requests from './requests.js';
import * as resource from './resource-check.js';
import * as topology from './topology-events.js';
import * as verification from './verification-messages.js';
import * as worker from './worker-messages.js';

/** Every message there is. A new version of one stands beside the old. */
export const messageDefinitions = [
  requests.DeleteRequested,
  requests.BrakedDeleteRequested,
  requests.PauseRequested,
  requests.ResumeRequested,
  requests.CancelRequested,
  requests.RetryRequested,
  requests.RateChangeRequested,
  requests.ConfirmRequested,
  deletion.DeletionStarted,
  deletion.DeletionPaused,
  deletion.DeletionResumed,
  deletion.DeletionCancelled,
  deletion.PurgesRetried,
  deletion.DeletionFinished,
  deletion.DeletionFailed,
  deletion.RateChanged,
  deletion.ConfirmationAwaited,
  deletion.DryRunFinished,
  deletion.RequestRefused,
  batch.BatchDeleted,
  batch.BatchDeletedInBucket,
  batch.BatchDelayed,
  batch.PurgeRequested,
  batch.PurgeRequestedInBucket,
  objects.ObjectsPurged,
  objects.ObjectPurgeDelayed,
  objects.ObjectPurgeFailed,
  verification.VerificationRequested,
  verification.RecordsVerified,
  verification.ObjectCheckRequested,
  verification.ObjectCheckRequestedInBucket,
  verification.ObjectsChecked,
  job.JobCompleted,
  job.JobExpired,
  job.JobRemoved,
  job.JobDiagnosisChanged,
  topology.ConsumerAttached,
  topology.ConsumerDetached,
  topology.BindingChanged,
  worker.EventsWanted,
  worker.WorkerHeartbeat,
  worker.ProjectionChanged,
  worker.FoldProbe,
  worker.SliceDue,
  resource.ResourceCheckRequested,
  resource.ResourceChecked,
] as const;

type Definitions = (typeof messageDefinitions)[number];
/** A message whose data was validated, told apart by `type`. */
export type AnyMessage = Definitions extends infer D
  ? D extends MessageDefinition<infer T, infer X>
    ? Message<T, X>
    : never
  : never;

const definitions: readonly MessageDefinition[] = messageDefinitions.map(
  (definition) => definition as MessageDefinition,
);

/** By type and version, which `dataschema` names: a message that contradicts itself has none. */
export function definitionOf({
  type,
  dataschema,
}: Pick<Message, 'type' | 'dataschema'>): MessageDefinition | undefined {
  return definitions.find((definition) => definition.type === type && definition.dataschema === dataschema);
}

export type ParsedMessage =
  | { ok: true; message: AnyMessage }
  /** `envelope` is there when at least that could be read. */
  | { ok: false; reason: string; envelope: Message | null };

/** Reads a message's body. Says why it cannot: not JSON, no CloudEvent, unknown type or version, data that does not fit. */
export function parseMessage(body: string | Uint8Array): ParsedMessage {
  let json: unknown;
  try {
    json = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body));
  } catch {
    return { ok: false, reason: 'the body is not JSON', envelope: null };
  }
  const envelope = Envelope.safeParse(json);
  if (!envelope.success) {
    return { ok: false, reason: `no CloudEvents 1.0 document: ${describe(envelope.error.issues)}`, envelope: null };
  }
  const raw = envelope.data as Message;
  const versions = definitions.filter(({ type }) => type === raw.type);
  if (versions.length === 0) return { ok: false, reason: `unknown type ${raw.type}`, envelope: raw };
  const definition = definitionOf(raw);
  if (!definition) {
    const known = versions.map(({ dataschema }) => dataschema).join(', ');
    return { ok: false, reason: `unknown version ${raw.dataschema}, this service reads ${known}`, envelope: raw };
  }
  const message = definition.schema.safeParse(json);
  if (!message.success) return { ok: false, reason: `${raw.type} ${describe(message.error.issues)}`, envelope: raw };
  return { ok: true, message: message.data as AnyMessage };
}

function describe(issues: readonly { path: PropertyKey[]; message: string }[]): string {
  return issues
    .slice(0, 5)
    .map((issue) => `${issue.path.map(String).join('.') || 'body'}: ${issue.message}`)
    .join('; ');
}
