import { describe, expect, it } from '@jest/globals';
import type { MessageProperties } from 'amqplib';
import { describeParked, parkedHeaders } from './parked-message.js';

const AT = '2026-11-23T12:00:00.000Z';

function parked(content: unknown, properties: { headers?: unknown } & Record<string, unknown> = {}) {
  const body = typeof content === 'string' ? content : JSON.stringify(content);
  return describeParked({ content: Buffer.from(body), properties: properties as unknown as MessageProperties });
}

const envelope = {
  specversion: '1.0',
  id: 'job-1:7',
  source: 'urn:expunge:deleter',
  type: 'BatchDeleted',
  subject: 'job-1',
  time: AT,
  datacontenttype: 'application/json',
  dataschema: 'urn:expunge:BatchDeleted:9',
  tenantid: 'acme',
  data: { objectKeys: ['tenants/acme/secret'] },
};

describe('what is told of a parked message', () => {
  it('is what its envelope says, though its version be unknown, and nothing of its data', () => {
    const told = parked(envelope, { messageId: 'another', type: 'Other', correlationId: 'job-2' });
    expect(told).toMatchObject({ messageId: 'job-1:7', type: 'BatchDeleted', job: 'job-1', tenant: 'acme' });
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  it('is what the properties say when the body is none of ours, or too large to be read', () => {
    const properties = { messageId: 'm', type: 'T', correlationId: 'j' };
    const told = { messageId: 'm', type: 'T', job: 'j', tenant: null };
    expect(parked('poison', properties)).toMatchObject(told);
    expect(parked([], properties)).toMatchObject(told);
    const padded = { ...envelope, padding: 'x'.repeat(1024 * 1024) };
    expect(parked(padded, properties)).toMatchObject({ ...told, bytes: JSON.stringify(padded).length });
  });

  it('has texts of bounded length and one line', () => {
    const told = parked({ ...envelope, type: 'x\n'.repeat(500) }, { headers: { 'x-parked-reason': 'y'.repeat(5000) } });
    expect([told.type?.length, told.reason.length]).toEqual([255, 1000]);
    expect(told.type).not.toContain('\n');
  });

  const death = (reason: string, value?: number) => ({
    reason,
    queue: 'deleter.jobs',
    ...(value === undefined ? {} : { time: { '!': 'timestamp', value } }),
  });

  it('is the latest death when the broker parked it, which writes no reason of ours', () => {
    const headers = {
      'x-death': [death('delivery_limit', Date.parse(AT) / 1000), death('expired', 5)],
      'x-first-death-queue': 'deleter.jobs.retry.2s',
      'x-attempt': 2,
    };
    expect(parked('x', { headers })).toMatchObject({
      reason: 'dead-lettered by the broker: delivery_limit',
      parkedAt: AT,
      firstDeathQueue: 'deleter.jobs.retry.2s',
      attempt: 2,
    });
  });

  it.each([
    ['nothing', {}],
    ['no list', { 'x-death': 'x' }],
    ['an empty list', { 'x-death': [] }],
    ['a death without a reason', { 'x-death': [{ queue: 'q' }] }],
    ['a reason that is no text', { 'x-parked-reason': 7, 'x-attempt': 'x' }],
  ])('is an unknown reason when the headers hold %s', (_, headers) => {
    expect(parked('x', { headers })).toMatchObject({ reason: 'unknown', parkedAt: null, attempt: 1 });
  });

  it.each<[string, unknown]>([
    ['us', { 'x-parked-reason': 'r', 'x-parked-at': AT, 'x-queue': 'deleter.jobs', 'x-attempt': 3 }],
    ['the broker', { 'x-death': [death('rejected', 5)], 'x-first-death-queue': 'deleter.jobs' }],
    ['the broker, which did not say when', { 'x-death': [death('rejected')] }],
    ['nobody knows whom', {}],
  ])('is the same of a copy of what was parked by %s', (_, headers) => {
    const told = parked('x', { headers });
    expect(parked('x', { headers: parkedHeaders(told) })).toEqual(told);
  });
});
