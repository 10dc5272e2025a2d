import { type AnyMessage, type ResourceCheck, ResourceChecked, type ResourceCheckRequested } from '@expunge/contracts';
import { type BrokerConnection, Unconfirmed } from '@expunge/messaging';
import type { Logger } from 'pino';

/** Answers whoever asks, with ResourceCheckRequested, whether a resource can be deleted from. */
export class CheckAnswers {
  private readonly answers: Unconfirmed;

  constructor(
    private readonly broker: BrokerConnection,
    log: Logger,
  ) {
    this.answers = new Unconfirmed(broker, log);
  }

  /** Anything else, what others are asked, and what nobody waits for any more, is let be. */
  async to(
    message: AnyMessage,
    look: (asked: ResourceCheckRequested['data']) => Promise<ResourceCheck[]>,
  ): Promise<void> {
    if (message.type !== 'ResourceCheckRequested' || Date.parse(message.data.validUntil) < Date.now()) return;
    const { subject, data } = message;
    const { service, instance } = this.broker.identity;
    if (data.services?.includes(service) === false) return;
    const checks = await look(data);
    await this.answers.say(ResourceChecked.routingKey ?? '', () =>
      ResourceChecked.create({
        id: `${subject}:${service}:${instance}`,
        source: `/${service}/${instance}`,
        subject,
        time: new Date().toISOString(),
        data: { resource: data.resource, service, instance, checks },
      }),
    );
  }
}
