import { MAINTENANCE_EXCHANGE, type NotChecked } from '@expunge/contracts';
import type { z } from 'zod';
import type { BrokerView, SeenBinding, SeenConsumer, SeenQueue } from './broker-view.js';
import {
  Bindings,
  Connections,
  Consumers,
  Exchanges,
  Nodes,
  Overview,
  QueueStatistics,
  QueueTotals,
  WhoAmI,
} from './management-answers.js';

const ANSWER_WITHIN_MS = 2_000;
/** Exchanges behind ours that are followed; more than that is no longer ours to explain. */
const MOST_EXCHANGES = 20;

export type ManagementView = Pick<
  BrokerView,
  'version' | 'exchanges' | 'bindings' | 'queues' | 'consumers' | 'alarms' | 'notChecked'
>;

/** A part of the answer, or why there is none. */
type Read<T> = { ok: true; value: T } | { ok: false; why: string };

/** RabbitMQ's management API, read alone. The URL carries user and password. */
export class ManagementApi {
  private readonly base: string;
  private readonly authorization: string;
  private readonly vhost: string;

  /** @param amqpUrl names the vhost */
  constructor(url: string, amqpUrl: string) {
    const { username, password, origin, pathname } = new URL(url);
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.base = `${origin}${pathname.replace(/\/$/, '')}/api`;
    this.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const { pathname: path } = new URL(amqpUrl);
    this.vhost = path.length > 1 ? path.slice(1) : encodeURIComponent('/');
  }

  /** Never rejects: what could not be read is null and named. */
  async look(): Promise<ManagementView> {
    const { vhost } = this;
    const [who, overview, exchanges, bindings, queues, consumers, connections, nodes] = await Promise.all([
      this.read('/whoami', WhoAmI),
      this.read('/overview?columns=rabbitmq_version', Overview),
      this.read(`/exchanges/${vhost}?columns=name,type`, Exchanges),
      this.bindings(),
      this.queues(),
      this.read(`/consumers/${vhost}`, Consumers),
      this.read(
        `/vhosts/${vhost}/connections?columns=name,user_provided_name,connected_at,client_properties`,
        Connections,
      ),
      this.read('/nodes?columns=name,running,mem_alarm,disk_free_alarm', Nodes),
    ]);
    const seesAll = who.ok && who.value.tags.some((tag) => tag === 'monitoring' || tag === 'administrator');
    const notChecked: NotChecked[] = [];
    const known = <T, S>(what: string, read: Read<T>, as: (value: T) => S): S | null => {
      if (read.ok) return as(read.value);
      notChecked.push({ what, why: read.why });
      return null;
    };
    if (who.ok && !seesAll) {
      const why = `user ${who.value.name} of the management API lacks the tag "monitoring": it sees its own only`;
      notChecked.push({ what: 'consumers', why });
    }
    return {
      version: overview.ok ? overview.value.rabbitmq_version : null,
      exchanges: known('exchanges', exchanges, (rows) => rows),
      bindings: known('bindings', bindings, (rows) => rows),
      queues: known('queues', queues, (rows) => rows),
      consumers: seesAll || !who.ok ? known('consumers', consumers, (rows) => joined(rows, connections)) : null,
      alarms: known('alarms', nodes, (rows) => rows.flatMap(alarmsOf)),
      notChecked,
    };
  }

  private async queues(): Promise<Read<SeenQueue[]>> {
    const path = `/queues/${this.vhost}`;
    const [totals, statistics] = await Promise.all([
      this.read(`${path}?disable_stats=true&enable_queue_totals=true`, QueueTotals),
      this.read(`${path}?columns=name,consumers,message_stats.ack,message_stats.redeliver`, QueueStatistics),
    ]);
    if (!statistics.ok) return statistics;
    return totals.ok ? { ok: true, value: counted(totals.value, statistics.value) } : totals;
  }

  /** From our exchange on, through those that are bound to it. */
  private async bindings(): Promise<Read<SeenBinding[]>> {
    const found: SeenBinding[] = [];
    const toFollow = [MAINTENANCE_EXCHANGE];
    for (let i = 0; i < toFollow.length && i < MOST_EXCHANGES; i++) {
      const name = encodeURIComponent(toFollow[i] ?? '');
      const read = await this.read(`/exchanges/${this.vhost}/${name}/bindings/source`, Bindings, []);
      if (!read.ok) return read;
      for (const { source, destination, destination_type: destinationType, routing_key: key } of read.value) {
        found.push({ source, destination, destinationType, key });
        if (destinationType === 'exchange' && !toFollow.includes(destination)) toFollow.push(destination);
      }
    }
    return { ok: true, value: found };
  }

  /** `ifMissing` is the answer for a 404. */
  private async read<T>(path: string, schema: z.ZodType<T>, ifMissing?: T): Promise<Read<T>> {
    try {
      const response = await fetch(this.base + path, {
        headers: { authorization: this.authorization, accept: 'application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (response.status === 404 && ifMissing !== undefined) return { ok: true, value: ifMissing };
      if (!response.ok) return { ok: false, why: `the management API answers ${response.status}` };
      return { ok: true, value: schema.parse(await response.json()) };
    } catch (error) {
      return { ok: false, why: `the management API does not answer: ${reasonOf(error)}` };
    }
  }
}

function counted(rows: z.infer<typeof QueueTotals>, statistics: z.infer<typeof QueueStatistics>): SeenQueue[] {
  const byName = new Map(statistics.map((queue) => [queue.name, queue]));
  return rows.map(({ name, messages_ready: ready, messages_unacknowledged: unacknowledged }) => {
    const { consumers, message_stats: messages } = byName.get(name) ?? {};
    return {
      name,
      ready,
      unacknowledged,
      consumerCount: consumers ?? null,
      acknowledged: messages?.ack ?? null,
      redelivered: messages?.redeliver ?? null,
    };
  });
}

function joined(rows: z.infer<typeof Consumers>, connections: Read<z.infer<typeof Connections>>): SeenConsumer[] {
  const byName = new Map((connections.ok ? connections.value : []).map((connection) => [connection.name, connection]));
  return rows.map(({ queue, consumer_tag: tag, prefetch_count: prefetch, channel_details: channel }) => {
    const name = channel && !Array.isArray(channel) ? channel.connection_name : undefined;
    const connection = name === undefined ? undefined : byName.get(name);
    return {
      queue: queue.name,
      tag,
      prefetch,
      connection: connection
        ? {
            name: connection.user_provided_name ?? connection.client_properties?.connection_name ?? null,
            host: connection.client_properties?.host ?? null,
            version: connection.client_properties?.version ?? null,
            connectedAt: connection.connected_at == null ? null : new Date(connection.connected_at).toISOString(),
          }
        : null,
    };
  });
}

function alarmsOf({ name, mem_alarm: memory, disk_free_alarm: disk }: z.infer<typeof Nodes>[number]): string[] {
  return [...(memory ? [`memory alarm on ${name}`] : []), ...(disk ? [`disk alarm on ${name}`] : [])];
}

/** Without the URL, which carries a password. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
