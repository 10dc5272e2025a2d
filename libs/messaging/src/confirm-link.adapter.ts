import { type ConfirmChannel, IllegalOperationError, type Options } from 'amqplib';
import { headerNames } from './attempt-headers.js';
import { Condition } from './condition.js';
import { BrokerUnavailableError, NotConfirmedError, OutcomeUnknownError, UnroutableError } from './publish-errors.js';
import { settledWithin } from './within.js';

export interface Outgoing {
  /** '' is the default exchange: the routing key is then a queue's name. */
  exchange: string;
  routingKey: string;
  content: Buffer;
  properties: Options.Publish;
}

const CLOSE_WITHIN_MS = 5_000;

interface OnItsWay {
  returned: string | null;
}

/** One confirm channel until it ends: publishes, and tells what became of each message. */
export class ConfirmLink {
  readonly #channel: ConfirmChannel;
  readonly #onTheWay = new Map<number, OnItsWay>();
  /** Resolves when the channel has ended, however it did. */
  readonly ended: Promise<void>;
  #open = true;
  #published = 0;
  readonly #late = { messages: 0, bytes: 0 };
  #full = false;
  readonly #takesMore = new Condition(() => !this.#full || !this.#open);

  constructor(channel: ConfirmChannel) {
    this.#channel = channel;
    this.ended = new Promise((resolve) => {
      // Before amqplib's own listener, which fails every unconfirmed publish: those then know why.
      channel.prependListener('close', () => {
        this.#shut();
        resolve();
      });
    });
    channel.on('drain', () => {
      this.#full = false;
      this.#takesMore.changed();
    });
    channel.on('return', (message) => {
      const publish: unknown = message.properties.headers?.[headerNames.publish];
      const onItsWay = typeof publish === 'number' ? this.#onTheWay.get(publish) : undefined;
      const { replyText } = message.fields as { replyText?: string };
      if (onItsWay) onItsWay.returned = replyText ?? 'returned';
    });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Publishes that outlived their time and still hold their place: the broker may have them yet. */
  get late(): Readonly<{ messages: number; bytes: number }> {
    return this.#late;
  }

  /** False when it took nothing more within that time, which would only fill our own memory, or takes nothing again. */
  async writable(withinMs: number): Promise<boolean> {
    return (await this.#takesMore.wait(withinMs)) && this.#open;
  }

  /**
   * @param settled called once, when the broker has answered or the channel is gone: the message is no longer held
   * @throws as `Publisher` says; BrokerUnavailableError when it could not even be sent
   */
  publish(outgoing: Outgoing, timeoutMs: number, settled: () => void): Promise<void> {
    const { exchange, routingKey, content, properties } = outgoing;
    const publish = ++this.#published;
    const what = describe(outgoing);
    const headers = { ...(properties.headers as Record<string, unknown>), [headerNames.publish]: publish };
    return new Promise((resolve, reject) => {
      const onItsWay: OnItsWay = { returned: null };
      let isLate = false;
      const countLate = (by: 1 | -1) => {
        isLate = by === 1;
        this.#late.messages += by;
        this.#late.bytes += by * content.length;
      };
      const timer = setTimeout(() => {
        countLate(1);
        reject(new OutcomeUnknownError(`no confirm of ${what} within ${timeoutMs} ms`));
      }, timeoutMs);
      const answered = (error: unknown) => {
        clearTimeout(timer);
        if (isLate) countLate(-1);
        this.#onTheWay.delete(publish);
        settled();
        // A return is certain, whatever came after it.
        if (onItsWay.returned !== null) reject(new UnroutableError(`${what} was returned: ${onItsWay.returned}`));
        else if (!error) resolve();
        else if (this.#open) reject(new NotConfirmedError(`the broker refused ${what}`, { cause: error }));
        else reject(new OutcomeUnknownError(`the channel ended with ${what} on its way`, { cause: error }));
      };
      try {
        this.#onTheWay.set(publish, onItsWay);
        const more = this.#channel.publish(exchange, routingKey, content, { ...properties, headers }, answered);
        if (!more) this.#full = true;
      } catch (error) {
        // Thrown while encoding, or because the channel has ended: nothing was written. One that ended in the same read
        // that opened it did so before anybody could listen.
        if (error instanceof IllegalOperationError) this.#shut();
        clearTimeout(timer);
        this.#onTheWay.delete(publish);
        settled();
        reject(
          this.#open
            ? asError(error)
            : new BrokerUnavailableError(`the channel ended before ${what}`, { cause: error }),
        );
      }
    });
  }

  /** amqplib hears no confirm once a channel is closing: what is on its way then has an unknown outcome. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#shut();
    const closed = this.#channel.close().catch(() => undefined);
    await settledWithin(Promise.race([closed, this.ended]), CLOSE_WITHIN_MS);
  }

  #shut(): void {
    this.#open = false;
    this.#takesMore.changed();
  }
}

function describe({ exchange, routingKey, properties }: Outgoing): string {
  const to = exchange === '' ? `queue ${routingKey}` : `${exchange} by ${routingKey}`;
  return `message ${properties.messageId ?? '(without id)'} to ${to}`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
