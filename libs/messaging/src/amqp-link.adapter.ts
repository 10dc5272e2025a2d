import type { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { type ChannelModel, connect } from 'amqplib';
import { connectionName, type Identity } from './identity.js';

const CONNECT_TIMEOUT_MS = 10_000;
const SOCKET_LINGER_MS = 500;

/** One connection until it ends; what comes after is up to BrokerConnection. */
export interface AmqpLink {
  model: ChannelModel;
  /** Why it ended; never rejects. */
  ended: Promise<Error>;
  destroy(): void;
}

/**
 * amqplib's own `recovery` is left out: it brings back connections but neither channels nor consumers, says nothing of
 * the topology, and its waiters for a connection have no bound.
 */
export async function openLink(url: string, identity: Identity, heartbeat: number): Promise<AmqpLink> {
  const model = await connected(url, withHeartbeat(url, heartbeat), {
    timeout: CONNECT_TIMEOUT_MS,
    noDelay: true,
    keepAlive: true,
    clientProperties: {
      connection_name: connectionName(identity),
      product: `expunge-${identity.service}`,
      version: identity.version,
      service: identity.service,
      instance: identity.instance,
      host: identity.host || hostname(),
      pid: process.pid,
      started_at: identity.startedAt.toISOString(),
    },
  });
  // The types leave out what the connection is: an emitter over a socket.
  const connection = model.connection as unknown as EventEmitter & { stream: Duplex };
  let last: Error | undefined;
  const note = (error: Error) => {
    last = error;
  };
  model.on('error', note);
  model.on('handler-error', note);
  connection.on('handler-error', note);
  const destroy = () => {
    connection.stream.destroy();
  };
  const ended = new Promise<Error>((resolve) => {
    model.on('close', (error) => {
      // A peer that is gone without a word would keep the half-closed socket, and what it buffers, for minutes.
      setTimeout(destroy, SOCKET_LINGER_MS).unref();
      resolve(error ?? last ?? new Error('the connection was closed'));
    });
  });
  return { model, ended, destroy };
}

/** Why a broker closes the connection instead of opening its vhost, the driver does not pass on. */
async function connected(url: string, withHeartbeat: string, options: object): Promise<ChannelModel> {
  try {
    return await connect(withHeartbeat, options);
  } catch (error) {
    if (!(error instanceof Error && /^Expected ConnectionOpenOk; got <ConnectionClose/.test(error.message)))
      throw error;
    const vhost = decodeURIComponent(new URL(url).pathname.slice(1)) || '/';
    throw new Error(`NOT_ALLOWED: there is no vhost ${vhost}, or the user may not enter it`, { cause: error });
  }
}

/** amqplib takes the interval from the URL alone; one that is there already stays. */
function withHeartbeat(url: string, seconds: number): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(seconds));
  return parsed.href;
}
