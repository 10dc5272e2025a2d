import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AsOf,
  ActiveJobsAnswer,
  EventsAnswer,
  type JobView,
  JobAnswer,
  JobsAnswer,
  KnownJobsAnswer,
  type LedgerEventView,
  ResourcesAnswer,
} from '@expunge/contracts';

/** An HTTP server that answers as the contracts say a monitor does, or fails in the way a test asks for. */
export interface StandInMonitor {
  url: string;
  asked: string[];
  jobs: Map<string, JobView>;
  /** Of every job that it knows; answered a page of one at a time. */
  events: LedgerEventView[];
  /** Before, no job was known. */
  knownSince: string;
  asOf: AsOf;
  resources: ResourcesAnswer['resources'];
  /** What is answered to a path, as it stands here. */
  answers: Map<string, unknown>;
  /** Instead of an answer. */
  fail: 'no' | 'silent' | 'error' | 'garbage';
  stop(): Promise<void>;
}

export const FRESH: AsOf = { position: 17, at: '2026-11-01T10:00:05.000Z', lagMs: 0, monitorHeartbeatAgeMs: 900 };

export async function standInMonitor(): Promise<StandInMonitor> {
  const monitor: Omit<StandInMonitor, 'url' | 'stop'> = {
    asked: [],
    jobs: new Map(),
    events: [],
    knownSince: '',
    asOf: FRESH,
    resources: [],
    answers: new Map(),
    fail: 'no',
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://monitor');
    monitor.asked.push(`${url.pathname}${url.search}`);
    if (monitor.fail === 'silent') return;
    if (monitor.fail === 'error') {
      send(response, 500, { code: 'unavailable', message: 'away' });
      return;
    }
    if (monitor.fail === 'garbage') {
      send(response, 200, { job: 'yes' });
      return;
    }
    const prepared = monitor.answers.get(url.pathname);
    if (prepared === undefined) answer(response, url);
    else send(response, 200, prepared);
  });
  function answer(response: ServerResponse, url: URL): void {
    const { asOf } = monitor;
    const tenant = url.searchParams.get('tenant');
    const own = [...monitor.jobs.values()].filter((job) => job.tenant === tenant);
    const [, id, what] = /^\/internal\/jobs\/([^/]+)(?:\/(\w+))?$/.exec(url.pathname) ?? [];
    if (url.pathname === '/internal/resources') {
      send(response, 200, ResourcesAnswer.parse({ asOf, resources: monitor.resources }));
      return;
    }
    if (url.pathname === '/internal/active-jobs') {
      const after = url.searchParams.get('after') ?? '';
      const active = [...monitor.jobs.values()].filter(({ id, status }) => status === 'running' && id > after);
      const [next] = active.sort((a, b) => (a.id < b.id ? -1 : 1));
      const jobs = next ? [{ id: next.id, tenant: next.tenant ?? '' }] : [];
      send(response, 200, ActiveJobsAnswer.parse({ asOf, jobs, next: next?.id ?? null }));
      return;
    }
    if (url.pathname === '/internal/known-jobs') {
      const known = (url.searchParams.get('ids') ?? '').split(',').filter((one) => monitor.jobs.has(one));
      send(response, 200, KnownJobsAnswer.parse({ known }));
      return;
    }
    if (url.searchParams.get('cursor') === 'bad') {
      send(response, 400, { code: 'invalid', message: 'cursor' });
      return;
    }
    if (id === undefined) {
      const limit = Number(url.searchParams.get('limit'));
      const nextCursor = own.length > limit ? 'next' : null;
      send(response, 200, JobsAnswer.parse({ asOf, jobs: own.slice(0, limit), nextCursor }));
      return;
    }
    const job = own.find((one) => one.id === id);
    if (!job) {
      send(response, 404, { code: 'not-found', message: 'no such job' });
      return;
    }
    if (what === 'events') {
      const [event, ...more] = monitor.events.filter(
        ({ position }) => position > Number(url.searchParams.get('after')),
      );
      const next = event && more.length > 0 ? event.position : null;
      send(response, 200, EventsAnswer.parse({ asOf, events: event ? [event] : [], next }));
      return;
    }
    if (what === 'state' && (url.searchParams.get('at') ?? '') < monitor.knownSince) {
      send(response, 404, { code: 'not-known-then', message: 'not yet' });
      return;
    }
    send(response, 200, JobAnswer.parse({ asOf, job }));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(monitor, {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function jobView(id: string, tenant: string): JobView {
  return {
    id,
    tenant,
    resource: 'receipts',
    selection: { all: true },
    options: { batchSize: 500 },
    maxRecordsPerSecond: null,
    requestedBy: 'ann',
    reason: null,
    requestedAt: '2026-11-01T10:00:00.000Z',
    status: 'running',
    progress: {
      processed: 50,
      succeeded: 50,
      failed: 0,
      total: 200,
      totalIsEstimate: false,
      percent: 25,
      objects: { handedOver: 90, purged: 40, failed: 0, retained: 0, pending: 50 },
    },
    recordsPerSecond: 12.5,
    eta: null,
    delayed: null,
    lastError: null,
    lastRequest: null,
    pickedUp: { instance: 'deleter-1', at: '2026-11-01T10:00:01.000Z' },
    worker: null,
    startedAt: '2026-11-01T10:00:01.000Z',
    finishedAt: null,
    completedAt: null,
    confirmation: null,
    dryRun: null,
    residue: null,
    diagnosis: null,
    updatedAt: '2026-11-01T10:00:05.000Z',
    failures: [],
    retained: [],
    traceparent: null,
    sequence: 2,
    position: 17,
  };
}
