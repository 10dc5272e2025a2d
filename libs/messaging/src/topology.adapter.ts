import { allWorkQueues, MAINTENANCE_EXCHANGE, queueDeclarations, type WorkQueue } from '@expunge/contracts';
import type { Channel } from 'amqplib';
import { TransientError } from './errors.js';

/** Part of the topology is not, and cannot be made, as it was declared. */
export class TopologyError extends TransientError {
  override readonly name = 'TopologyError';

  constructor(readonly problems: string[]) {
    super('BROKER_TOPOLOGY', problems.join('; '));
  }
}

interface Step {
  what: string;
  run: (channel: Channel) => Promise<unknown>;
}

/**
 * Declares the exchange, the queues and their bindings. A refused step closes its channel, not the others' work: all
 * that can be declared is.
 *
 * @throws TopologyError what was refused; whatever `open` throws when there is no channel to be had
 */
export async function declareTopology(open: () => Promise<Channel>): Promise<void> {
  const exchange: Step = {
    what: `exchange ${MAINTENANCE_EXCHANGE}`,
    run: (channel) => channel.assertExchange(MAINTENANCE_EXCHANGE, 'topic', { durable: true }),
  };
  const problems = await runAll([exchange], open);
  // A channel each: declaring a quorum queue for the first time takes the broker tens of milliseconds.
  const ofQueues = await Promise.all(allWorkQueues.map((queue) => runAll(stepsOf(queue), open)));
  problems.push(...ofQueues.flat());
  if (problems.length > 0) throw new TopologyError(problems);
}

function stepsOf(queue: WorkQueue): Step[] {
  const declarations = queueDeclarations(queue).map(({ name, arguments: args }) => ({
    what: `queue ${name}`,
    run: (channel: Channel) => channel.assertQueue(name, { durable: true, arguments: args }),
  }));
  const bindings = queue.bindings.map((key) => ({
    what: `binding ${key} of queue ${queue.name}`,
    run: (channel: Channel) => channel.bindQueue(queue.name, MAINTENANCE_EXCHANGE, key),
  }));
  return [...declarations, ...bindings];
}

async function runAll(steps: Step[], open: () => Promise<Channel>): Promise<string[]> {
  const problems: string[] = [];
  let channel = await open();
  for (const step of steps) {
    try {
      await step.run(channel);
    } catch (error) {
      problems.push(problemOf(step, error));
      channel = await open();
    }
  }
  await channel.close().catch(() => undefined);
  return problems;
}

const PRECONDITION_FAILED = 406;

function problemOf({ what }: Step, error: unknown): string {
  const { code, message } = error as { code?: number; message?: string };
  if (code === PRECONDITION_FAILED) {
    return `${what} exists with other properties than declared (${message ?? ''}): delete it, it is declared again`;
  }
  return `${what} could not be declared (${message ?? String(error)})`;
}
