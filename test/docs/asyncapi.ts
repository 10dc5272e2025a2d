import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  allWorkQueues,
  type AnyMessage,
  MAINTENANCE_EXCHANGE,
  MESSAGE_CONTENT_TYPE,
  type MessageDefinition,
  messageDefinitions,
  type ServiceName,
  serviceNames,
  topicMatches,
  transientQueues,
  workQueues,
} from '@expunge/contracts';
import { z } from 'zod';

const root = join(import.meta.dirname, '../../../..');
export const ASYNCAPI_FILE = 'docs/asyncapi.json';

/** Who publishes a message. */
export const senders: Record<AnyMessage['type'], readonly ServiceName[]> = {
  DeleteRequested: ['api', 'monitor'],
  PauseRequested: ['api', 'monitor'],
  ResumeRequested: ['api', 'monitor'],
  CancelRequested: ['api', 'monitor'],
  RetryRequested: ['api', 'monitor'],
  RateChangeRequested: ['api', 'monitor'],
  ConfirmRequested: ['api', 'monitor'],
  DeletionStarted: ['deleter'],
  DeletionPaused: ['deleter'],
  DeletionResumed: ['deleter'],
  DeletionCancelled: ['deleter'],
  PurgesRetried: ['deleter'],
  DeletionFinished: ['deleter'],
  DeletionFailed: ['deleter'],
  RateChanged: ['deleter'],
  ConfirmationAwaited: ['deleter'],
  DryRunFinished: ['deleter'],
  RequestRefused: ['deleter'],
  BatchDeleted: ['deleter'],
  BatchDelayed: ['deleter'],
  PurgeRequested: ['deleter', 'storage-cleaner'],
  ObjectsPurged: ['storage-cleaner'],
  ObjectPurgeDelayed: ['storage-cleaner'],
  ObjectPurgeFailed: ['storage-cleaner'],
  VerificationRequested: ['monitor'],
  RecordsVerified: ['deleter'],
  ObjectCheckRequested: ['deleter'],
  ObjectsChecked: ['storage-cleaner'],
  JobCompleted: ['monitor'],
  JobExpired: ['monitor'],
  JobRemoved: ['deleter'],
  JobDiagnosisChanged: ['monitor'],
  ConsumerAttached: ['monitor'],
  ConsumerDetached: ['monitor'],
  BindingChanged: ['monitor'],
  EventsWanted: ['monitor'],
  WorkerHeartbeat: serviceNames,
  ProjectionChanged: ['monitor'],
  FoldProbe: ['monitor'],
  ResourceCheckRequested: ['api', 'deleter'],
  ResourceChecked: ['deleter', 'storage-cleaner'],
  SliceDue: ['deleter'],
};

/** The queue of what is published past the exchange. */
const queueOf: Partial<Record<AnyMessage['type'], string>> = {
  SliceDue: workQueues.deleterSlices.name,
  FoldProbe: workQueues.monitorEvents.name,
};

const consumed = [...allWorkQueues, ...Object.values(transientQueues)];
const definitions: readonly MessageDefinition[] = messageDefinitions.map((one) => one as MessageDefinition);
const nameOf = ({ type, version }: MessageDefinition) => (version === 1 ? type : `${type}.v${version}`);
const addressOf = ({ routingKey, type }: MessageDefinition) => routingKey ?? queueOf[type as AnyMessage['type']] ?? '';
const ref = (...path: string[]) => ({ $ref: `#/${path.map((part) => part.replaceAll('/', '~1')).join('/')}` });

function receiversOf(definition: MessageDefinition): ServiceName[] {
  const { routingKey } = definition;
  const takers = consumed.filter((queue) =>
    routingKey === null
      ? 'name' in queue && queue.name === addressOf(definition)
      : queue.bindings.some((binding) => topicMatches(binding, routingKey)),
  );
  return [...new Set(takers.map(({ service }) => service))];
}

/** What a schema that first looks at anything goes on to demand is what it demands. */
const payloadOf = ({ schema }: MessageDefinition): object =>
  z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type !== 'pipe' || def.in._zod.def.type !== 'unknown') return;
      const { $schema: _, ...demanded } = z.toJSONSchema(def.out, { io: 'input' });
      Object.assign(jsonSchema, demanded);
    },
  });

function channelOf(definition: MessageDefinition): object {
  const bindings =
    definition.routingKey === null
      ? { is: 'queue', queue: { name: addressOf(definition), durable: true, exclusive: false, autoDelete: false } }
      : { is: 'routingKey', exchange: { name: MAINTENANCE_EXCHANGE, type: 'topic', durable: true, autoDelete: false } };
  return {
    address: addressOf(definition),
    messages: { [nameOf(definition)]: ref('components', 'messages', nameOf(definition)) },
    bindings: { amqp: bindings },
  };
}

function operationsOf(definition: MessageDefinition): [string, object][] {
  const operation = (action: 'send' | 'receive') => (service: ServiceName) => [
    `${service}.${action}.${nameOf(definition)}`,
    { action, channel: ref('channels', nameOf(definition)), tags: [{ name: service }] },
  ];
  const all = [
    ...senders[definition.type as AnyMessage['type']].map(operation('send')),
    ...receiversOf(definition).map(operation('receive')),
  ];
  return all as [string, object][];
}

function messageOf(definition: MessageDefinition): object {
  return {
    name: definition.type,
    contentType: MESSAGE_CONTENT_TYPE,
    payload: { schemaFormat: 'application/schema+json;version=draft-07', schema: payloadOf(definition) },
  };
}

/** AsyncAPI 3.0 of every message: who sends it, by which address, and who takes it. */
export function asyncApi(version: string): object {
  const by = <T>(make: (definition: MessageDefinition) => T): Record<string, T> =>
    Object.fromEntries(definitions.map((definition) => [nameOf(definition), make(definition)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Expunge',
      version,
      description:
        'Every message is a CloudEvents 1.0 document in JSON. `subject` is the job; `sequence` numbers the events of the deleter.',
    },
    defaultContentType: MESSAGE_CONTENT_TYPE,
    channels: by(channelOf),
    operations: Object.fromEntries(definitions.flatMap(operationsOf)),
    components: { messages: by(messageOf) },
  };
}

export const asyncApiText = (version: string): string => `${JSON.stringify(asyncApi(version), null, 2)}\n`;

if (process.argv[1] === import.meta.filename) {
  const { VERSION } = await import('@expunge/runtime');
  writeFileSync(join(root, ASYNCAPI_FILE), asyncApiText(VERSION));
}
