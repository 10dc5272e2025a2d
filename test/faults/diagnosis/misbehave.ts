/**
 * Loaded into a service by `node --import`: what a bug in it does to its process.
 *
 * SIGUSR2 blocks its event loop until it is killed. `MISBEHAVE` says what goes wrong by itself.
 */
import type { Duplex } from 'node:stream';
import type { Channel, ConsumeMessage } from 'amqplib';
import { type Drivers, internal, wrap } from '../drivers.js';

export type Misbehaviour =
  /** It connects, and ends by an error before anything is delivered to it. */
  | 'throws-once-connected'
  /** Whatever is delivered to it costs it its connection. */
  | 'loses-connection-over-deliveries'
  /** What is delivered to it is never settled, and it does not know that it has it. */
  | 'forgets-deliveries'
  /** It gives up on whatever is delivered to it. */
  | 'rejects-deliveries';

process.on('SIGUSR2', () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});

function wrapConsume(instead: (channel: Channel, message: ConsumeMessage) => void): void {
  const { Channel: ofDriver } = internal(['amqplib'], './lib/channel_model.js') as Drivers['amqplib'];
  wrap(ofDriver.prototype, 'consume', (consume, [queue, , ...rest], channel) => {
    const deliver = (message: ConsumeMessage | null) => message && instead(channel as Channel, message);
    return consume(queue, deliver, ...rest);
  });
}

switch (process.env['MISBEHAVE'] as Misbehaviour | undefined) {
  case 'throws-once-connected': {
    const { Channel: ofDriver } = internal(['amqplib'], './lib/channel_model.js') as Drivers['amqplib'];
    wrap(ofDriver.prototype, 'consume', () => {
      setTimeout(() => {
        throw new RangeError('a bug that shows soon after the start');
      }, 300);
      return new Promise(() => undefined);
    });
    break;
  }
  case 'loses-connection-over-deliveries':
    wrapConsume(({ connection }) => {
      (connection as unknown as { stream: Duplex }).stream.destroy(new Error('the connection was reset'));
    });
    break;
  case 'forgets-deliveries':
    wrapConsume(() => undefined);
    break;
  case 'rejects-deliveries':
    wrapConsume((channel, message) => channel.reject(message, false));
    break;
  case undefined:
}
