import { MAINTENANCE_EXCHANGE, topicMatches } from '@expunge/contracts';
import type { BrokerView, SeenBinding } from './broker-view.js';

/**
 * Whether a message published to `maintenance` with this key reaches the queue, also through other exchanges. Null: not
 * to be told, since bindings were not seen, or one on the way goes by headers.
 */
export function reaches(
  { exchanges, bindings }: Pick<BrokerView, 'exchanges' | 'bindings'>,
  routingKey: string,
  queue: string,
): boolean | null {
  if (bindings === null) return null;
  const types = new Map((exchanges ?? []).map(({ name, type }) => [name, type]));
  const seen = new Set<string>();
  const toVisit = [MAINTENANCE_EXCHANGE];
  let isSure = true;
  for (let exchange = toVisit.pop(); exchange !== undefined; exchange = toVisit.pop()) {
    if (seen.has(exchange)) continue;
    seen.add(exchange);
    for (const binding of bindings.filter(({ source }) => source === exchange)) {
      const takes = takesKey(types.get(exchange) ?? 'topic', binding, routingKey);
      if (takes === null) isSure = false;
      if (takes !== true) continue;
      if (binding.destinationType === 'exchange') toVisit.push(binding.destination);
      else if (binding.destination === queue) return true;
    }
  }
  return isSure ? false : null;
}

function takesKey(exchangeType: string, { key }: SeenBinding, routingKey: string): boolean | null {
  switch (exchangeType) {
    case 'topic':
      return topicMatches(key, routingKey);
    case 'direct':
      return key === routingKey;
    case 'fanout':
      return true;
    default:
      return null;
  }
}

/** How messages of `maintenance` get to a queue: its own bindings to it, and those of exchanges between. */
export function bindingsOf(bindings: readonly SeenBinding[], queue: string): { key: string; through: string | null }[] {
  return bindings
    .filter(({ destination, destinationType }) => destinationType === 'queue' && destination === queue)
    .map(({ source, key }) => ({ key, through: source === MAINTENANCE_EXCHANGE ? null : source }));
}
