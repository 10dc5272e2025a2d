import type { Publisher } from '@expunge/messaging';
import type { Logger } from 'pino';
import { SOURCE } from '../projection/status.js';
import type { BrokerView } from './broker-view.js';
import { changesBetween, type RollCallEvent, rollOf } from './roll-call.js';
import type { RollCallRepository, StoredRoll } from './roll-call.repository.js';

/**
 * Makes events of who came to listen, who left, and which bindings changed. They are noted before they are published, and
 * a next roll is noted only once they are out: an instance that dies in between leaves them to the next one.
 */
export class RollCall {
  constructor(
    private readonly rolls: RollCallRepository,
    private readonly publisher: Publisher,
    private readonly log: Logger,
  ) {}

  /** @throws TransientError its database is away, or the broker takes nothing */
  async call(view: BrokerView): Promise<void> {
    const stored = await this.rolls.read();
    await this.say(stored);
    const roll = rollOf(view, stored.roll);
    const number = stored.number + 1;
    const events = changesBetween(stored.roll, roll, { number, time: view.at, source: SOURCE });
    if (events.length === 0) return;
    if (await this.rolls.next(stored.number, roll, events)) await this.say({ roll, number, outbox: events });
  }

  private async say({ number, outbox }: StoredRoll): Promise<void> {
    if (outbox.length === 0) return;
    for (const event of outbox) {
      await this.publisher.publish(event);
      this.log.info({ type: event.type, ...event.data }, described(event));
    }
    await this.rolls.said(number);
  }
}

function described(event: RollCallEvent): string {
  switch (event.type) {
    case 'ConsumerAttached':
      return `${event.data.consumerTag} listens to ${event.data.queue}`;
    case 'ConsumerDetached':
      return `${event.data.consumerTag} no longer listens to ${event.data.queue}`;
    case 'BindingChanged':
      return `binding ${event.data.bindingKey} of ${event.data.queue} ${event.data.present ? 'is there' : 'is gone'}`;
  }
}
