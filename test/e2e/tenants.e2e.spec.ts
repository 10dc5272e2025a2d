import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { OpenApi } from '../support/described.js';
import { System } from '../support/system.js';

let system: System;
beforeAll(async () => {
  system = await System.start();
}, 120_000);
afterAll(() => system.stop(), 60_000);

interface Told {
  operation: string;
  status: number;
  contentType: string | null;
  problem: unknown;
}

/** Of every address of a job, as the document that the api serves has them: what it answers a tenant of this job. */
async function toldOf(job: string, tenant: string): Promise<Told[]> {
  const { paths } = (await system.get(tenant, '/api/openapi.json')).body as OpenApi;
  const ofAJob = Object.entries(paths).flatMap(([path, methods]) =>
    path.includes('{id}') ? Object.keys(methods).map((method) => [method.toUpperCase(), path] as const) : [],
  );
  const asked = [...ofAJob, ['GET', `/api/jobs/{id}?at=${new Date().toISOString()}`] as const];
  return Promise.all(asked.map(([method, path]) => told(method, path, job, tenant)));
}

async function told(method: string, path: string, job: string, tenant: string): Promise<Told> {
  const [api] = system.services.of('api');
  const answer = await fetch(api!.url + path.replace('{id}', job), {
    method,
    headers: { ...(await system.authorization(tenant)), 'content-type': 'application/json' },
    ...(method === 'PATCH' && { body: JSON.stringify({ max_records_per_second: 5 }) }),
    signal: AbortSignal.timeout(10_000),
  });
  const { trace_id: _, ...problem } = (await answer.json()) as Record<string, unknown>;
  return {
    operation: `${method} ${path.replace(/=.*/, '')}`,
    status: answer.status,
    contentType: answer.headers.get('content-type'),
    problem,
  };
}

it('at every address of a job another tenant is told what it is told of none', async () => {
  const [owner, other] = [system.newTenant(), system.newTenant()];
  await system.fill(owner, 50, 1);
  const options = { batch_size: 1, max_records_per_second: 1 };
  const job = await system.request(owner, { selection: { all: true }, options });
  await system.until(owner, job, 'that it runs', ({ status }) => status === 'running');
  const unknown = '01a2260c-06cc-7145-b183-9c49e18b4616';
  const ofNone = await toldOf(unknown, other);
  expect(ofNone.map(({ operation, status }) => [operation, status])).toEqual(
    ofNone.map(({ operation }) => [operation, 404]),
  );
  expect(ofNone.length).toBeGreaterThanOrEqual(12);
  expect(await toldOf(job, other)).toEqual(ofNone);
  // Nothing was asked of it.
  expect(await system.job(owner, job)).toMatchObject({
    status: 'running',
    last_request: null,
    max_records_per_second: 1,
  });
  await system.ask(owner, job, 'cancel');
});
