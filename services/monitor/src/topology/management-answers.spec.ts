import { expect, it } from '@jest/globals';
import { Consumers, QueueStatistics, QueueTotals, WhoAmI } from './management-answers.js';

it('reads a queue that has no numbers yet, however the broker says so', () => {
  const [name, rows] = ['q', [{}, { message_stats: {} }, { message_stats: [] }]];
  expect(QueueStatistics.parse(rows.map((row) => ({ name, ...row })))).toEqual([
    { name },
    { name, message_stats: { ack: 0, redeliver: 0 } },
    { name, message_stats: null },
  ]);
  expect(QueueTotals.parse([{ name }])).toEqual([{ name, messages_ready: 0, messages_unacknowledged: 0 }]);
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
