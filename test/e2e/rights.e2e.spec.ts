import { Management, newSecret, type Rights } from '@expunge/local-stack';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { page, rows, section } from '../docs/markdown.js';
import { expectAllGone, jobUnderWay } from '../support/job-under-way.js';
import { System } from '../support/system.js';

const rights = Object.fromEntries(
  rows(section(page('docs/security.md'), "## RabbitMQ's user")).map(([right = '', pattern = '']) => [
    right,
    pattern.replaceAll('`', ''),
  ]),
) as Rights;

let system: System;
let limited: string;
beforeAll(async () => {
  system = await System.start({
    asSeen: async (stack) => {
      const management = new Management(stack.rabbitmq.managementUrl);
      const url = new URL(stack.rabbitmq.url);
      url.username = 'limited';
      url.password = newSecret();
      await management.putUser(url.username, url.password, []);
      await management.permit('/', url.username, rights);
      limited = url.href;
      return { ...stack, rabbitmq: { ...stack.rabbitmq, url: limited } };
    },
  });
}, 120_000);
afterAll(() => system.stop(), 60_000);

it('a deletion needs no more of RabbitMQ than docs/security.md gives it', async () => {
  await expectAllGone(system, await jobUnderWay(system, 50));
});

it('what it gives reaches no other queue', async () => {
  const connection = await connect(limited);
  const channel = await connection.createChannel();
  const refusal = new Promise((resolve) => channel.on('error', resolve));
  await expect(channel.assertQueue('orders', { durable: true })).rejects.toThrow(/ACCESS_REFUSED/);
  await refusal;
  await connection.close();
});
