import { describe, expect, it } from '@jest/globals';
import type { MessageProperties } from 'amqplib';
import { copiedProperties } from './copied-properties.js';

const none: MessageProperties = {
  contentType: undefined,
  contentEncoding: undefined,
  headers: undefined,
  deliveryMode: undefined,
  priority: undefined,
  correlationId: undefined,
  replyTo: undefined,
  expiration: undefined,
  messageId: undefined,
  timestamp: undefined,
  type: undefined,
  userId: undefined,
  appId: undefined,
  clusterId: undefined,
};

describe('the properties of a copy', () => {
  it('are those of the message, with the headers added', () => {
    const message = {
      ...none,
      contentType: 'application/cloudevents+json',
      contentEncoding: 'gzip',
      correlationId: 'job-1',
      messageId: 'job-1:4',
      timestamp: 1_700_000_000,
      type: 'BatchDeleted',
      appId: 'deleter',
      replyTo: 'nobody',
      priority: 3,
      deliveryMode: 1,
      headers: { 'x-attempt': 1, theirs: ['a', 1] },
    };
    expect(copiedProperties(message, { 'x-attempt': 2 })).toEqual({
      contentType: 'application/cloudevents+json',
      contentEncoding: 'gzip',
      correlationId: 'job-1',
      messageId: 'job-1:4',
      timestamp: 1_700_000_000,
      type: 'BatchDeleted',
      appId: 'deleter',
      replyTo: 'nobody',
      priority: 3,
      persistent: true,
      mandatory: true,
      headers: { 'x-attempt': 2, theirs: ['a', 1] },
    });
  });

  it('do not let the copy expire, be refused, or go to further queues', () => {
    const message = { ...none, expiration: '1000', userId: 'somebody', headers: { CC: ['other'], BCC: ['more'] } };
    expect(copiedProperties(message, {})).toEqual({
      persistent: true,
      mandatory: true,
      headers: {
        'x-original-cc': ['other'],
        'x-original-bcc': ['more'],
        'x-original-expiration': '1000',
        'x-original-user-id': 'somebody',
      },
    });
  });

  it("leave out the broker's own counts, and ours of attempts unless they are given", () => {
    const message = {
      ...none,
      headers: {
        'x-death': [],
        'x-delivery-count': 3,
        'x-first-death-queue': 'q',
        'x-publish': 7,
        'x-attempt': 6,
        'x-unexpected': 4,
        'x-first-attempt-at': '2026-11-23T12:00:00.000Z',
      },
    };
    expect(copiedProperties(message, {}).headers).toEqual({});
    expect(copiedProperties(message, { 'x-attempt': 6 }).headers).toEqual({ 'x-attempt': 6 });
  });

  it('leave out headers that may not fit where they are encoded', () => {
    const large = { ...none, headers: { large: 'x'.repeat(8_000) } };
    expect(copiedProperties(large, {}).headers).toEqual(large.headers);
    const message = { ...none, headers: { numbers: Array.from({ length: 2_100 }, () => 1.5) } };
    expect(copiedProperties(message, { 'x-parked-reason': 'why' }).headers).toEqual({
      'x-headers-dropped': true,
      'x-parked-reason': 'why',
    });
  });
});
