import { expect, it } from '@jest/globals';
import { Consumers, Queues, WhoAmI } from './management-answers.js';

it('reads a queue that has no numbers yet, however the broker says so', () => {
  const nothing = { name: 'q', messages_ready: 0, messages_unacknowledged: 0 };
  expect(Queues.parse([{ name: 'q' }, { name: 'q', message_stats: {} }, { name: 'q', message_stats: [] }])).toEqual([
    nothing,
    { ...nothing, message_stats: { ack: 0, redeliver: 0 } },
    { ...nothing, message_stats: null },
  ]);
});

it('reads a consumer whose channel is not listed yet', () => {
  const row = { consumer_tag: 't', queue: { name: 'q' }, channel_details: [] };
  expect(Consumers.parse([row])).toEqual([{ ...row, prefetch_count: 0 }]);
});

it('reads tags of a user as a list and as a text', () => {
  const tags = ['monitoring', 'policymaker'];
  expect([tags, 'monitoring, policymaker'].map((given) => WhoAmI.parse({ name: 'u', tags: given }).tags)).toEqual([
    tags,
    tags,
  ]);
});
