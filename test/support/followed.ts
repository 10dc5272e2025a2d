import { EventSourceParserStream, type EventSourceMessage } from 'eventsource-parser/stream';

/** A stream of server-sent events, as a client reads it. */
export class Followed implements AsyncDisposable {
  readonly messages: EventSourceMessage[] = [];
  /** Of each message, milliseconds since the epoch. */
  readonly receivedAt: number[] = [];
  readonly comments: string[] = [];
  retryMs: number | null = null;
  /** Resolves when the server has ended it; rejects when it was cut. */
  readonly ended: Promise<void>;
  private woken: () => void = () => undefined;

  private constructor(
    readonly response: Response,
    private readonly cut: AbortController,
  ) {
    this.ended = this.read();
    this.ended.catch(() => undefined);
  }

  static async open(url: string, headers: Record<string, string>): Promise<Followed> {
    const cut = new AbortController();
    return new Followed(await fetch(url, { headers, signal: cut.signal }), cut);
  }

  /** @throws Error if that does not happen in time, or the stream ends before */
  async until(
    what: string,
    is: (messages: readonly EventSourceMessage[]) => boolean,
    withinMs = 10_000,
  ): Promise<void> {
    const late = AbortSignal.timeout(withinMs);
    while (!is(this.messages)) {
      const { promise, resolve } = Promise.withResolvers<'late' | 'more' | 'ended'>();
      this.woken = () => resolve('more');
      late.addEventListener('abort', () => resolve('late'), { once: true });
      this.ended.then(
        () => resolve('ended'),
        () => resolve('ended'),
      );
      const why = await promise;
      if (why !== 'more' && !is(this.messages)) {
        throw new Error(`${what}: ${why} after ${JSON.stringify(this.messages).slice(-2000)}`);
      }
    }
  }

  /** Of its events, in order. */
  get positions(): number[] {
    return this.messages.filter(({ event }) => event === 'event').map(({ id }) => Number(id));
  }

  get kinds(): (string | undefined)[] {
    return this.messages.map(({ event }) => event);
  }

  /** Of the last message of a kind. */
  last(kind: string): unknown {
    const data = this.messages.findLast(({ event }) => event === kind)?.data;
    return data === undefined ? undefined : JSON.parse(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut.abort();
    await this.ended.catch(() => undefined);
  }

  private async read(): Promise<void> {
    const parser = new EventSourceParserStream({
      onRetry: (ms) => {
        this.retryMs = ms;
      },
      onComment: (comment) => {
        this.comments.push(comment);
        this.woken();
      },
    });
    const text = this.response.body?.pipeThrough(new TextDecoderStream() as never).pipeThrough(parser);
    for await (const message of text as unknown as AsyncIterable<EventSourceMessage>) {
      this.messages.push(message);
      this.receivedAt.push(Date.now());
      this.woken();
    }
  }
}
