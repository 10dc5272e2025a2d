import {
  allWorkQueues,
  type ConsumerView,
  MAINTENANCE_EXCHANGE,
  parkedQueue,
  type QueueView,
  transientQueue,
  transientQueues,
  type WorkQueue,
} from '@expunge/contracts';
import { type BrokerView, ownerOf, type SeenConsumer } from './broker-view.js';
import { bindingsOf } from './routes.js';

/** The declared work queues against what the broker has: what is missing, and what nobody declared. */
export function comparedQueues(view: BrokerView): QueueView[] {
  return allWorkQueues.map((queue) => comparedQueue(queue, view));
}

function comparedQueue(queue: WorkQueue, view: BrokerView): QueueView {
  const { name, service } = queue;
  const seen = view.queues?.find((one) => one.name === name) ?? null;
  const present = view.queues && seen !== null;
  const bindings = comparedBindings(queue, view);
  const consumers =
    view.consumers && view.consumers.filter((one) => one.queue === name).map((one) => consumerView(one, queue));
  const consumerCount = consumers?.length ?? seen?.consumerCount ?? null;
  const parked = view.queues?.find((one) => one.name === parkedQueue(name))?.ready ?? null;
  const missing = [
    ...(view.exchanges && !view.exchanges.some((one) => one.name === MAINTENANCE_EXCHANGE)
      ? [`exchange ${MAINTENANCE_EXCHANGE}`]
      : []),
    ...(present === false ? [`queue ${name}`] : []),
    ...bindings.filter((one) => one.present === false).map((one) => `binding ${one.bindingKey}`),
    ...(present === true && (consumers ? !consumers.some((one) => one.expected) : consumerCount === 0)
      ? [`a consumer of ${service}`]
      : []),
  ];
  const unexpected = [
    ...bindings.filter((one) => !one.declared).map((one) => `binding ${one.bindingKey}${through(one.through)}`),
    ...(consumers ?? []).filter((one) => !one.expected).map((one) => `consumer ${one.consumerTag}`),
  ];
  return {
    name,
    service,
    declared: true,
    present,
    ready: seen?.ready ?? null,
    unacknowledged: seen?.unacknowledged ?? null,
    parked,
    bindings,
    consumers,
    consumerCount,
    missing,
    unexpected,
  };
}

const through = (exchange: string | null) => (exchange === null ? '' : ` through exchange ${exchange}`);

function comparedBindings({ name, bindings: declared }: WorkQueue, { bindings }: BrokerView): QueueView['bindings'] {
  const seen = bindings && bindingsOf(bindings, name);
  const wanted = declared.map((bindingKey) => ({
    exchange: MAINTENANCE_EXCHANGE,
    bindingKey,
    declared: true,
    present: seen && seen.some(({ key, through }) => key === bindingKey && through === null),
    through: null,
  }));
  const others = (seen ?? [])
    .filter(({ key, through }) => through !== null || !declared.includes(key))
    .map(({ key, through }) => ({
      exchange: MAINTENANCE_EXCHANGE,
      bindingKey: key,
      declared: false,
      present: true,
      through,
    }));
  return [...wanted, ...others];
}

/** Whose consumer it is follows from its tag; that it is ours, from its connection's name as well, where that is listed. */
function consumerView({ tag, prefetch, connection, queue }: SeenConsumer, { service }: WorkQueue): ConsumerView {
  const owner = ownerOf(tag);
  const isNamedSo = connection?.name == null || connection.name === `${owner?.service}@${owner?.instance}`;
  const isOurs = owner !== null && owner.queue === queue && isNamedSo;
  return {
    consumerTag: tag,
    service: isOurs ? owner.service : null,
    instance: isOurs ? owner.instance : null,
    host: connection?.host ?? null,
    version: connection?.version ?? null,
    prefetch,
    since: connection?.connectedAt ?? null,
    expected: isOurs && owner.service === service,
  };
}

/** Each configured queue bound as declared, and consumed by its owner. Null: nobody can tell. */
export function listensToMaintenance(queues: readonly QueueView[]): boolean | null {
  if (queues.some(({ missing }) => missing.length > 0)) return false;
  const isKnown = queues.every(
    ({ present, bindings, consumerCount }) =>
      present !== null && consumerCount !== null && bindings.every((one) => one.present !== null),
  );
  return isKnown ? true : null;
}

/** Names of ours that are declared by each instance for itself. */
export const isTransient = (queue: string): boolean =>
  (Object.keys(transientQueues) as (keyof typeof transientQueues)[]).some((name) =>
    queue.startsWith(transientQueue(name, '')),
  );
