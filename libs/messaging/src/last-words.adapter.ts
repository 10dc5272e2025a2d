import type { ErrorInfo } from '@expunge/contracts';
import { openLink } from './amqp-link.adapter.js';
import { HEARTBEAT_KEY, heartbeatOf, type HeartbeatSnapshot } from './heartbeat-message.js';
import type { Identity } from './identity.js';
import { publishUnconfirmed } from './unconfirmed.adapter.js';
import { settledWithin } from './within.js';

export interface LastWords {
  url: string;
  identity: Identity;
  /** The process's exit code. */
  code: number;
  error: ErrorInfo;
  /** What it was doing; nothing unless told. */
  snapshot?: HeartbeatSnapshot;
  /** 2,000. */
  withinMs?: number;
}

const WITHIN_MS = 2_000;
const HEARTBEAT_SECONDS = 5;

/**
 * Says of a process that cannot go on why it ends. By a connection of its own: there may be none yet, and the one there
 * is may be what broke. Never throws; without a broker in time nobody is told.
 *
 * @returns whether the broker has taken it
 */
export async function sayLastWords({ withinMs = WITHIN_MS, ...words }: LastWords): Promise<boolean> {
  let taken = false;
  const saying = say(words).then(() => (taken = true));
  await settledWithin(saying, withinMs);
  return taken;
}

const NOTHING: HeartbeatSnapshot = {
  ready: false,
  consumes: [],
  doing: null,
  lastError: null,
  sequences: {},
  missingIndexes: null,
};

async function say({ url, identity, code, error, snapshot = NOTHING }: Omit<LastWords, 'withinMs'>): Promise<void> {
  const link = await openLink(url, identity, HEARTBEAT_SECONDS);
  try {
    const channel = await link.model.createConfirmChannel();
    // Without a listener, an exchange that is not there would end the process.
    channel.on('error', () => undefined);
    const now = new Date();
    const lastError = { ...error, at: now.toISOString() };
    const words = { ...snapshot, ready: false, lastError };
    const exit = { code, reason: 'fatal' as const };
    const message = heartbeatOf(identity, { number: 'last-words', state: 'exiting', snapshot: words, exit }, now);
    publishUnconfirmed(channel, HEARTBEAT_KEY, message);
    await channel.waitForConfirms();
  } finally {
    await link.model.close();
  }
}
