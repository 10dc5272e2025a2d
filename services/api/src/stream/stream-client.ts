import type { ServerResponse } from 'node:http';
import type { ShownJob } from '../jobs/job-answers.js';
import { endFrame, HEARTBEAT, retryFrame } from './frames.js';
import type { Follower } from './job-feed.js';

/** What a client has not read yet may grow to this; then it is cut, and resumes by the id it has. Bytes. */
const MOST_UNREAD = 1_048_576;
const ROOM_WITHIN_MS = 10_000;

/** A client that reads server-sent events. */
export class StreamClient implements Follower {
  constructor(
    readonly response: ServerResponse,
    public position: number,
  ) {}

  get isGone(): boolean {
    return this.response.destroyed || this.response.writableEnded;
  }

  take(frames: string): boolean {
    if (this.isGone) return false;
    this.response.write(frames);
    if (this.response.writableLength <= MOST_UNREAD) return true;
    this.response.destroy();
    return false;
  }

  async hasRoom(): Promise<boolean> {
    if (this.isGone) return false;
    if (!this.response.writableNeedDrain) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const tooLong = setTimeout(() => resolve(false), ROOM_WITHIN_MS);
    const [drained, closed] = [() => resolve(true), () => resolve(false)];
    this.response.once('drain', drained).once('close', closed);
    const hasRoom = await promise;
    clearTimeout(tooLong);
    this.response.off('drain', drained).off('close', closed);
    if (!hasRoom) this.response.destroy();
    return hasRoom;
  }

  beat(): void {
    this.take(HEARTBEAT);
  }

  end(job: ShownJob): void {
    if (this.take(endFrame(job))) this.response.end();
  }

  /** Ends it before its time: the client comes back after so many milliseconds. */
  sendAway(comesBackAfterMs: number): void {
    if (this.take(retryFrame(comesBackAfterMs))) this.response.end();
  }
}
