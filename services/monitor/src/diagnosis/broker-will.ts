import type { Circumstances } from './circumstances.js';
import { evidence, found, type Found } from './finding.js';

const DENIED = /ACCESS[_-]REFUSED|NOT[_-]ALLOWED|\b403\b|\b530\b|access to vhost/i;

/** Whether the broker takes messages from us. */
export function ofBroker({ broker }: Circumstances): Found[] {
  const { connected, error, blocked, alarms, at } = broker;
  if (error !== null && DENIED.test(error)) {
    return [
      found('BROKER:NO_PERMISSION', 'blocking', `The broker refuses what the monitor asks of it: ${error}.`, {
        evidence: [evidence('broker', 'rights of the user', { observed: error, expected: 'no refusal', at })],
        nextActions: ['Give the user of RABBITMQ_URL the rights to configure, write and read in its vhost.'],
      }),
    ];
  }
  if (!connected) {
    const why = error ?? 'no connection yet';
    return [
      found('BROKER:UNREACHABLE', 'blocking', `The broker cannot be reached: ${why}.`, {
        evidence: [evidence('broker', 'connection of the monitor', { observed: why, expected: 'connected', at })],
        nextActions: ['Start RabbitMQ, or look at the network between it and the services.'],
      }),
    ];
  }
  const inForce = [...(alarms ?? []), ...(blocked === null ? [] : [`connection blocked: ${blocked}`])];
  if (inForce.length === 0) return [];
  return [
    found('BROKER:RESOURCE_ALARM', 'blocking', `The broker takes no messages: ${inForce.join('; ')}.`, {
      evidence: inForce.map((alarm) => evidence('broker', 'alarms', { observed: alarm, expected: 'none', at })),
      nextActions: ['Free memory or disk of the broker, or raise its limit.'],
    }),
  ];
}
