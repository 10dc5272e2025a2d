import { describe, expect, it } from '@jest/globals';
import { traced } from './emit.js';
import { at, request } from './given.js';
import { startJob } from './start-job.js';

const facts = { bodyHash: 'hash', bound: { idAtMost: 'z' }, total: 4, instance: 'deleter-1', now: at(1) };
const started = startJob(request, facts);
const carried = ({ outbox }: typeof started) => outbox.map(({ traceparent }) => traceparent);

describe('events in the outbox', () => {
  it('carry the trace under which they were written, and keep it', () => {
    const first = traced(started, '00-aa-bb-01');
    expect(carried(first)).toEqual(['00-aa-bb-01']);
    const [event] = started.outbox;
    const later = traced({ ...first, outbox: [...first.outbox, event!] }, '00-cc-dd-01');
    expect(carried(later)).toEqual(['00-aa-bb-01', '00-cc-dd-01']);
  });

  it('carry none where nothing is traced', () => {
    expect(traced(started, undefined)).toBe(started);
  });
});

describe('a job', () => {
  it('knows the trace of its request', () => {
    expect(started.traceparent).toBeNull();
    expect(startJob({ ...request, traceparent: '00-aa-bb-01' }, facts).traceparent).toBe('00-aa-bb-01');
  });
});
