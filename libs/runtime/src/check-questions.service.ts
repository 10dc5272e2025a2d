import { randomUUID } from 'node:crypto';
import {
  inBucket,
  type ResourceChecked,
  ResourceCheckRequested,
  type ResourceDefinition,
  type ServiceName,
} from '@expunge/contracts';
import { type BrokerConnection, Unconfirmed } from '@expunge/messaging';
import type { Logger } from 'pino';

export type CheckAnswer = ResourceChecked['data'];
type AskedOf = Pick<ResourceDefinition, 'name' | 'bucket'>;

interface Question {
  of: readonly ServiceName[];
  answers: Map<string, CheckAnswer>;
  complete: () => void;
}

/** Asks services whether a resource can be deleted from; the first of each that answers is heard. */
export class CheckQuestions {
  private readonly open = new Map<string, Question>();
  private readonly questions: Unconfirmed;

  constructor(
    private readonly broker: BrokerConnection,
    log: Logger,
  ) {
    this.questions = new Unconfirmed(broker, log);
  }

  heard({ subject, data }: ResourceChecked): void {
    const question = this.open.get(subject);
    if (!question?.of.some((service) => service === data.service) || question.answers.has(data.service)) return;
    question.answers.set(data.service, data);
    if (question.answers.size === question.of.length) question.complete();
  }

  /** Never rejects. @returns by service, what was answered in time */
  async ask(
    resource: AskedOf,
    of: readonly ServiceName[],
    withinMs: number,
  ): Promise<ReadonlyMap<string, CheckAnswer>> {
    const id = randomUUID();
    const { promise: answered, resolve: complete } = Promise.withResolvers<undefined>();
    const question: Question = { of, answers: new Map(), complete: () => complete(undefined) };
    const late = setTimeout(question.complete, withinMs);
    this.open.set(id, question);
    try {
      await this.say(id, resource, of, withinMs);
      await answered;
    } finally {
      clearTimeout(late);
      this.open.delete(id);
    }
    return question.answers;
  }

  private say(
    id: string,
    { name, bucket }: AskedOf,
    services: readonly ServiceName[],
    withinMs: number,
  ): Promise<void> {
    const { service, instance } = this.broker.identity;
    return this.questions.say(ResourceCheckRequested.routingKey ?? '', () =>
      ResourceCheckRequested.create({
        id: `${id}:asked`,
        source: `/${service}/${instance}`,
        subject: id,
        time: new Date().toISOString(),
        data: {
          resource: name,
          validUntil: new Date(Date.now() + withinMs).toISOString(),
          services: [...services],
          ...inBucket(bucket),
        },
      }),
    );
  }
}
