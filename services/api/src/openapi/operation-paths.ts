import { allWorkQueues } from '@expunge/contracts';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ControlBody } from '../control/control-request.js';
import { PausedAll } from '../control/pause-all-answer.js';
import { EventsParameters } from '../jobs/list-query.js';
import { PresentedHealth, PresentedRollCall, PresentedWorkerConfig } from '../operations/operation-answers.js';
import { PresentedParked, PresentedReplay } from '../parked/parked-answers.js';
import { ParkedParameters, ReplayBody } from '../parked/parked-request.js';
import { PresentedResourceCheck } from '../resources/resource-answers.js';
import { IdempotencyKey } from './job-paths.js';
import { operation } from './operation.js';

const [first, ...others] = allWorkQueues.map(({ name }) => name);
const queue = z.object({ queue: z.enum([first ?? '', ...others]) });

export const operationPaths: ZodOpenApiPathsObject = {
  '/api/jobs/worker/config': {
    get: operation({
      id: 'getWorkerConfig',
      tag: 'Operations',
      summary: 'Who listens',
      description: 'The declared queues beside what the broker has, and every instance heard of.',
      scope: 'ops:read',
      answer: { status: 200, schema: PresentedWorkerConfig, description: 'Queues and workers.' },
      problems: [],
    }),
  },
  '/api/jobs/worker/events': {
    get: operation({
      id: 'listRollCall',
      tag: 'Operations',
      summary: 'Who listened when',
      scope: 'ops:read',
      params: { query: EventsParameters },
      answer: { status: 200, schema: PresentedRollCall, description: 'Consumers and bindings that came and went.' },
      problems: ['monitor-unreachable'],
    }),
  },
  '/api/jobs/health': {
    get: operation({
      id: 'getHealth',
      tag: 'Operations',
      summary: 'How it goes',
      description: 'The worst of its parts; nothing is `ok` for having been silent.',
      scope: 'ops:read',
      answer: { status: 200, schema: PresentedHealth, description: 'The whole and its parts.' },
      problems: [],
    }),
  },
  '/api/resources/{name}/check': {
    get: operation({
      id: 'checkResource',
      tag: 'Operations',
      summary: 'Whether a resource can be deleted from',
      description: 'A deleter looks at the records, a storage-cleaner at the bucket; nothing is deleted.',
      scope: 'ops:read',
      params: { path: z.object({ name: z.string() }) },
      answer: { status: 200, schema: PresentedResourceCheck, description: 'What was found.' },
      problems: ['not-found'],
    }),
  },
  '/api/pause-all': {
    post: operation({
      id: 'pauseAll',
      tag: 'Operations',
      summary: 'Pause every job',
      description:
        'Of every tenant, that may still delete a record, or was asked to go on. Each is resumed by itself; jobs that are accepted afterwards run.',
      scope: 'ops:write',
      params: { header: IdempotencyKey },
      body: { schema: ControlBody, optional: true },
      answer: { status: 202, schema: PausedAll, description: 'The broker has a request for each.' },
      problems: [
        'malformed-request',
        'body-too-large',
        'unsupported-media-type',
        'idempotency-key-reused',
        'not-all-paused',
      ],
    }),
  },
  '/api/parked': {
    get: operation({
      id: 'listParked',
      tag: 'Operations',
      summary: 'What was given up on',
      description: 'Messages of all tenants.',
      scope: 'ops:read',
      params: { query: ParkedParameters },
      answer: { status: 200, schema: PresentedParked, description: 'The first of each queue, and how many there are.' },
      problems: ['store-unavailable'],
    }),
  },
  '/api/parked/{queue}/replay': {
    post: operation({
      id: 'replayParked',
      tag: 'Operations',
      summary: 'Put parked messages back',
      scope: 'ops:write',
      params: { path: queue },
      body: { schema: ReplayBody },
      answer: { status: 200, schema: PresentedReplay, description: 'So many were put back.' },
      problems: ['malformed-request', 'body-too-large', 'unsupported-media-type', 'not-found', 'store-unavailable'],
    }),
  },
};
