import { randomUUID } from 'node:crypto';
import { parkedQueue } from '@expunge/contracts';
import type { ConfirmChannel, GetMessage } from 'amqplib';
import type { Logger } from 'pino';
import type { BrokerConnection } from './broker-connection.adapter.js';
import { ConfirmLink } from './confirm-link.adapter.js';
import { copiedProperties, propertiesWithoutHeaders } from './copied-properties.js';
import { TransientError } from './errors.js';
import { headerNames } from './attempt-headers.js';
import { deliveriesOf, describeParked, type ParkedMessage, parkedHeaders } from './parked-message.js';
import { BrokerUnavailableError } from './publish-errors.js';
import { settledWithin } from './within.js';

export interface ParkedQueuesOptions {
  broker: BrokerConnection;
  log: Logger;
  /** How long one answer of the broker is waited for; 5 s. */
  answerWithinMs?: number;
}

export interface ParkedList {
  /** All that are parked, listed or not. */
  count: number;
  messages: ParkedMessage[];
}

export interface Replayed {
  replayed: number;
  /** Parked now; among them what was parked again meanwhile. */
  remaining: number;
  /** Why it ended before its time; the message it happened to is still parked, and may be a second time in its queue. */
  error: Error | null;
}

/**
 * Each look gives what it has seen back to the queue, which counts that as a failed delivery (RabbitMQ before 4.3), and
 * since 4.0 drops a message after 20. So one that has been given back this often is put in anew, which counts from zero.
 */
const LOOKS = 5;
/** No further message after that: what is held meanwhile nobody else can see. */
const LOOK_FOR_MS = 5_000;
const REPLAY_FOR_MS = 20_000;
const ANSWER_WITHIN_MS = 5_000;
const GIVEN_BACK_MS = 1_000;

/** Looks into the parking queues, and puts messages back from there. Consumes nothing, leaves nothing behind. */
export class ParkedQueues {
  readonly #options: ParkedQueuesOptions;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: ParkedQueuesOptions) {
    this.#options = options;
  }

  /**
   * What is parked of a work queue, at most so many, those at its head. Given back, they stand at the head again, or
   * at the end (RabbitMQ 3). Another process that looks at the same moment does not see what this one holds.
   *
   * @throws TransientError the broker does not answer, or has no such queue
   */
  look(queue: string, atMost: number): Promise<ParkedList> {
    return this.#inTurn(queue, LOOK_FOR_MS, async (parked) => {
      const count = await parked.count();
      const messages: ParkedMessage[] = [];
      for await (const message of parked.take(Math.min(count, atMost))) {
        const described = describeParked(message);
        messages.push(described);
        if (deliveriesOf(message) >= LOOKS) await parked.renew(message, described);
      }
      return { count, messages };
    });
  }

  /**
   * Puts messages back into their work queue, those at the head, as a first attempt. Each is acknowledged after the broker
   * has confirmed its copy: what ends this in between may leave a message in both, in neither never. What is parked again
   * meanwhile is left alone, wherever it stands in the queue.
   *
   * @throws TransientError as `look`, before anything was put back
   */
  replay(queue: string, atMost: number): Promise<Replayed> {
    return this.#inTurn(queue, REPLAY_FOR_MS, async (parked) => {
      const count = await parked.count();
      let replayed = 0;
      try {
        for await (const message of parked.take(Math.min(count, atMost))) {
          await parked.putBack(message, queue);
          replayed += 1;
        }
        return { replayed, remaining: (await parked.count()) + parked.held, error: null };
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        return { replayed, remaining: count - replayed, error };
      }
    });
  }

  /** One after the other, or two looks of one process would see half each. */
  #inTurn<T>(queue: string, forMs: number, work: (parked: ParkedChannel) => Promise<T>): Promise<T> {
    const before = this.#turns.get(queue) ?? Promise.resolve();
    const mine = before.then(() => this.#onChannel(queue, forMs, work));
    this.#turns.set(
      queue,
      mine.catch(() => undefined),
    );
    return mine;
  }

  async #onChannel<T>(queue: string, forMs: number, work: (parked: ParkedChannel) => Promise<T>): Promise<T> {
    const { broker, log, answerWithinMs = ANSWER_WITHIN_MS } = this.#options;
    // From a connection that it blocks the broker reads nothing, neither gets nor acknowledgements.
    if (broker.blocked !== null) throw new BrokerUnavailableError(`the broker takes nothing: ${broker.blocked}`);
    const channel = await broker.openConfirmChannel();
    const times = { until: Date.now() + forMs, answerWithinMs };
    const parked = new ParkedChannel(channel, parkedQueue(queue), times, log);
    try {
      return await work(parked);
    } finally {
      await parked.close();
    }
  }
}

/** One look: holds what it takes until it closes, and then gives it back. */
class ParkedChannel {
  readonly #id = randomUUID();
  #held = 0;
  readonly #link: ConfirmLink;

  constructor(
    private readonly channel: ConfirmChannel,
    private readonly queue: string,
    private readonly times: { until: number; answerWithinMs: number },
    private readonly log: Logger,
  ) {
    this.#link = new ConfirmLink(channel);
  }

  /** Taken, and neither put back nor given back. */
  get held(): number {
    return this.#held;
  }

  /** That nobody holds. */
  async count(): Promise<number> {
    return (await this.#answerOf(this.channel.checkQueue(this.queue))).messageCount;
  }

  async *take(atMost: number): AsyncGenerator<GetMessage> {
    for (let n = 0; n < atMost && Date.now() < this.times.until;) {
      const message = await this.#answerOf(this.channel.get(this.queue));
      if (message === false) return;
      this.#held += 1;
      // Comes up again when another process holds, or has given back to the end, what was counted besides.
      const { [headerNames.look]: look, [headerNames.replay]: replay } = message.properties.headers ?? {};
      if (look === this.#id || replay === this.#id) continue;
      n += 1;
      yield message;
    }
  }

  /** @throws as `Publisher`; the message is then still parked */
  private async move(message: GetMessage, to: string, headers: Record<string, unknown>): Promise<void> {
    const copy = { exchange: '', routingKey: to, content: message.content };
    const put = (properties: ReturnType<typeof copiedProperties>) =>
      this.#link.publish({ ...copy, properties }, this.times.answerWithinMs, () => undefined);
    await put(copiedProperties(message.properties, headers)).catch((error: unknown) => {
      if (error instanceof TransientError) throw error;
      return put(propertiesWithoutHeaders(message.properties, headers));
    });
    this.channel.ack(message);
    this.#held -= 1;
  }

  putBack(message: GetMessage, queue: string): Promise<void> {
    return this.move(message, queue, { [headerNames.attempt]: 1, [headerNames.replay]: this.#id });
  }

  async renew(message: GetMessage, described: ParkedMessage): Promise<void> {
    try {
      await this.move(message, this.queue, { ...parkedHeaders(described), [headerNames.look]: this.#id });
    } catch (err) {
      this.log.warn({ err, queue: this.queue }, 'a parked message could not be put in anew');
    }
  }

  /** Closing alone would give back too, but as RabbitMQ 4.3 counts it, a nack is no failed delivery and that is one. */
  async close(): Promise<void> {
    try {
      if (this.#held > 0) await this.#giveBack();
    } catch {
      // The channel has ended: the broker gives back what was held.
    }
    await this.#link.close();
  }

  /** The queue has them a moment after the nack: whoever looks next would miss some. */
  async #giveBack(): Promise<void> {
    const others = await this.count();
    this.channel.nackAll(true);
    const end = Date.now() + GIVEN_BACK_MS;
    while ((await this.count()) < others + this.#held && Date.now() < end);
  }

  /** @throws TransientError also for what the broker refuses */
  async #answerOf<T>(asked: Promise<T>): Promise<T> {
    if (!(await settledWithin(asked, this.times.answerWithinMs))) {
      throw new BrokerUnavailableError(`no answer from the broker about ${this.queue}`);
    }
    return asked.catch((error: unknown) => {
      throw new TransientError('BROKER_PARKED', `cannot look into ${this.queue}`, { cause: error });
    });
  }
}
