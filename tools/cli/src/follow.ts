import { setTimeout as delay } from 'node:timers/promises';
import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream';
import { awaitsConfirmation, type LastRequest, type ShownJob } from './answers.js';
import { type Api, ProblemAnswer, Unreachable } from './api.adapter.js';
import { jobPath } from './paths.js';

/** A stream has a comment every 15 s: one without is dead. */
const SILENT_FOR_MS = 40_000;
const USUAL_PAUSE_MS = 1_000;
/** An API that is away for longer is not waited for. */
const PATIENCE_MS = 120_000;
const HEARD_EVERY_MS = 200;

/**
 * A job each time it has changed, until it is over. Comes back by itself, where it was cut, without loss or repetition.
 *
 * @throws ProblemAnswer 4xx; Unreachable when nobody has answered for 2 minutes
 */
export async function* follow(api: Api, id: string): AsyncGenerator<ShownJob, void> {
  let lastEventId = '';
  let pauseMs = USUAL_PAUSE_MS;
  let heardAt = Date.now();
  for (;;) {
    const watch = new Silence();
    let leaveAloneMs = 0;
    try {
      const stream = await api.stream(`${jobPath(id)}/stream`, lastEventId, watch.signal);
      if (stream === null) {
        yield await api.ask<ShownJob>(jobPath(id));
        return;
      }
      heardAt = Date.now();
      const parser = new EventSourceParserStream({
        onRetry: (ms) => (pauseMs = ms),
        onComment: () => {
          heardAt = Date.now();
          watch.broken();
        },
      });
      // The two libraries' types of a web stream are not the same ones.
      const messages = stream
        .pipeThrough(new TextDecoderStream() as never)
        .pipeThrough(parser) as unknown as AsyncIterable<EventSourceMessage>;
      for await (const { event, data, id: eventId } of messages) {
        watch.broken();
        heardAt = Date.now();
        if (eventId !== undefined && eventId !== '') lastEventId = eventId;
        if (event === 'job') yield JSON.parse(data) as ShownJob;
        if (event === 'end') return;
      }
    } catch (error) {
      if (error instanceof ProblemAnswer && !error.isForNow) throw error;
      if (Date.now() - heardAt > PATIENCE_MS) throw error instanceof ProblemAnswer ? error : unreachable(error);
      leaveAloneMs = Math.max(USUAL_PAUSE_MS, error instanceof ProblemAnswer ? error.retryAfterMs : 0);
    } finally {
      watch.end();
    }
    await delay(Math.max(pauseMs, leaveAloneMs));
  }
}

/**
 * Until nothing more becomes of the job by itself, which the API alone says: what a job that is over was asked to do, or
 * has still to purge, is not told by its status. Or until it waits for somebody who confirms it.
 *
 * @param asked a request of one's own, which must have been heard of before: without it the job may be over
 * @throws as `follow`
 */
export async function followed(
  api: Api,
  id: string,
  onChange: (job: ShownJob) => void,
  asked: LastRequest | null = null,
): Promise<ShownJob> {
  if (asked) await untilHeard(api, id, asked);
  let last: ShownJob | null = null;
  for await (const job of follow(api, id)) {
    last = job;
    onChange(job);
    if (awaitsConfirmation(job)) break;
  }
  return last ?? api.ask<ShownJob>(jobPath(id));
}

async function untilHeard(api: Api, id: string, asked: LastRequest): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const last = await lastRequestOf(api, id);
    if (last && (last.id === asked.id || Date.parse(last.at) > Date.parse(asked.at))) return;
    if (Date.now() > end)
      throw new Unreachable(`no monitor has heard of the request within ${PATIENCE_MS / 1000} s: ${asked.id}`);
    await delay(HEARD_EVERY_MS);
  }
}

/** Null also while the API can tell nothing of the job, as when no monitor answers. */
async function lastRequestOf(api: Api, id: string): Promise<LastRequest | null> {
  try {
    return (await api.ask<ShownJob>(jobPath(id))).last_request;
  } catch (error) {
    if (error instanceof ProblemAnswer && error.isForNow) return null;
    throw error;
  }
}

/** Cuts what has been silent for too long. */
class Silence {
  private readonly cut = new AbortController();
  private timer = this.begin();

  get signal(): AbortSignal {
    return this.cut.signal;
  }

  broken(): void {
    clearTimeout(this.timer);
    this.timer = this.begin();
  }

  /** The stream, too, if it is still open. */
  end(): void {
    clearTimeout(this.timer);
    this.cut.abort();
  }

  private begin(): NodeJS.Timeout {
    return setTimeout(() => this.cut.abort(new Error(`silent for ${SILENT_FOR_MS / 1000} s`)), SILENT_FOR_MS);
  }
}

function unreachable(error: unknown): Unreachable {
  if (error instanceof Unreachable) return error;
  return new Unreachable(`the stream was cut: ${error instanceof Error ? error.message : String(error)}`);
}
