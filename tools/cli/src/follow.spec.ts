import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LastRequest, ShownJob } from './answers.js';
import { Api, ProblemAnswer } from './api.adapter.js';
import { followed } from './follow.js';

type Told = Partial<ShownJob>;
type Answer = (response: ServerResponse) => void;

const AT = '2026-11-01T10:00:00.000Z';
const LATER = '2026-11-01T11:00:00.000Z';
const request = (id: string, outcome: LastRequest['outcome'], at = AT): LastRequest => ({
  id,
  type: 'RetryRequested',
  outcome,
  reason: null,
  at,
});

/** What the API has to say, at each address one after the other, the last of it again and again. */
let answers: { job: Answer[]; stream: Answer[] };
let askedAt: { job: number[]; stream: number[] };
let server: Server;
let api: Api;
beforeEach(async () => {
  [answers, askedAt] = [
    { job: [], stream: [] },
    { job: [], stream: [] },
  ];
  server = createServer(({ url = '' }, response) => {
    const address = url.endsWith('/stream') ? 'stream' : 'job';
    askedAt[address].push(performance.now());
    const [answer] = answers[address].length > 1 ? answers[address].splice(0, 1) : answers[address];
    if (answer) answer(response);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  api = new Api({ api: `http://127.0.0.1:${port}`, token: 't' });
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const shown =
  (job: Told): Answer =>
  (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(job));

/** With `end`, as the API ends a stream of a job that nothing more becomes of; else it stays open. */
const streamed =
  (jobs: Told[], isEnded = true): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const job of jobs) response.write(`event: job\ndata: ${JSON.stringify(job)}\n\n`);
    if (isEnded) response.end(`event: end\ndata: {}\n\n`);
  };

const refused =
  (status: number, retryAfter: string): Answer =>
  (response) =>
    response.writeHead(status, { 'retry-after': retryAfter }).end(JSON.stringify({ code: 'too-many-streams' }));

async function statusesOf(asked: LastRequest | null = null): Promise<string[]> {
  const statuses: string[] = [];
  const last = await followed(api, 'j', (job) => statuses.push(job.status), asked);
  expect(last.status).toBe(statuses.at(-1));
  return statuses;
}

describe('a job', () => {
  it.each(['failed', 'completed_with_residue', 'cancelled'])(
    'that is %s is followed on while it is not said what becomes of a retry',
    async (status) => {
      const jobs = [{ status, last_request: request('r', 'pending') }, { status: 'running' }, { status: 'completed' }];
      answers.stream = [streamed(jobs)];
      expect(await statusesOf()).toEqual([status, 'running', 'completed']);
    },
  );

  it('that is over is followed on while objects of it are still to go', async () => {
    answers.stream = [streamed([{ status: 'cancelled' }, { status: 'cancelled' }])];
    expect(await statusesOf()).toEqual(['cancelled', 'cancelled']);
  });

  it('waits for somebody who confirms it, unless somebody has', async () => {
    const waiting = { status: 'awaiting_confirmation' };
    answers.stream = [streamed([waiting], false)];
    expect(await statusesOf()).toEqual(['awaiting_confirmation']);
    const confirmed = { ...waiting, last_request: request('c', 'pending') };
    answers.stream = [streamed([confirmed, { status: 'running' }, { status: 'completed' }])];
    expect(await statusesOf()).toEqual(['awaiting_confirmation', 'running', 'completed']);
  });
});

describe('a request of its own', () => {
  const before = { status: 'failed', last_request: request('first', 'applied') };
  const own = request('second', 'pending', LATER);

  it.each([
    ['it', own],
    ['a later one', request('third', 'applied', '2026-11-01T12:00:00.000Z')],
  ])('is heard of before the job is followed: %s', async (_, heard) => {
    answers.job = [shown({ ...before, last_request: null }), shown(before), shown({ ...before, last_request: heard })];
    // Asked for sooner, the API would say that the job is over.
    answers.stream = [(response) => streamed([{ status: askedAt.job.length < 3 ? 'failed' : 'completed' }])(response)];
    expect(await statusesOf(own)).toEqual(['completed']);
  });
});

describe('a request of its own, while no monitor answers,', () => {
  it('is waited for all the same', async () => {
    const own = request('own', 'pending');
    answers.job = [...Array.from({ length: 5 }, () => refused(503, '0')), shown({ last_request: own })];
    answers.stream = [streamed([{ status: 'completed' }])];
    expect(await statusesOf(own)).toEqual(['completed']);
    expect(askedAt.job).toHaveLength(6);
  });
});

describe('an API that asks to be left alone', () => {
  it.each([429, 503])('by a %i is, for as long as it says', async (status) => {
    answers.stream = [refused(status, '2'), streamed([{ status: 'completed' }])];
    expect(await statusesOf()).toEqual(['completed']);
    const [first = 0, second = 0] = askedAt.stream;
    expect(second - first).toBeGreaterThan(1_900);
  });

  const dateIn = (ms: number) => new Date(Date.now() + ms).toUTCString();

  it.each([
    ['two', '2', 2_000],
    ['none', '0', 0],
    ['a day', '86400', 30_000],
    ['a moment that has passed', dateIn(-60_000), 0],
    ['the same moment tomorrow', dateIn(86_400_000), 30_000],
    ['a word', 'soon', 0],
    ['nothing', null, 0],
  ])('says it as a number or a date, and is believed for half a minute at most: %s', (_, retryAfter, ms) => {
    expect(new ProblemAnswer({ status: 503, retry_after: retryAfter }).retryAfterMs).toBe(ms);
  });
});
