import { type ResourceChecked, ResourceCheckRequested } from '@expunge/contracts';
import { type BrokerConnection, Unconfirmed } from '@expunge/messaging';
import { BROKER, LOGGER } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { v7 } from 'uuid';
import { presentResourceCheck, type PresentedResourceCheck } from './resource-answers.js';

/** Longer than any of their looks takes. */
const ANSWERED_WITHIN_MS = 6_000;
const asked = ['deleter', 'storage-cleaner'];

interface Question {
  answers: Map<string, ResourceChecked['data']>;
  complete: () => void;
}

/** Asks those who would delete whether they can; the first of each service that answers is heard. */
@Injectable()
export class ResourceChecks {
  private readonly open = new Map<string, Question>();
  private readonly questions: Unconfirmed;

  constructor(
    @Inject(BROKER) private readonly broker: BrokerConnection,
    @Inject(LOGGER) log: Logger,
  ) {
    this.questions = new Unconfirmed(broker, log);
  }

  heard({ subject, data }: ResourceChecked): void {
    const question = this.open.get(subject);
    if (!question || !asked.includes(data.service) || question.answers.has(data.service)) return;
    question.answers.set(data.service, data);
    if (question.answers.size === asked.length) question.complete();
  }

  /** Never rejects: what nobody answers is `not_checked`. */
  async check(resource: string): Promise<PresentedResourceCheck> {
    const id = v7();
    const { promise: answered, resolve: complete } = Promise.withResolvers<undefined>();
    const question: Question = { answers: new Map(), complete: () => complete(undefined) };
    const late = setTimeout(question.complete, ANSWERED_WITHIN_MS);
    this.open.set(id, question);
    try {
      await this.ask(id, resource);
      await answered;
    } finally {
      clearTimeout(late);
      this.open.delete(id);
    }
    const silent = asked.filter((service) => !question.answers.has(service));
    const why = this.broker.connected
      ? `none has answered within ${ANSWERED_WITHIN_MS / 1000} s`
      : 'the broker is away';
    const notChecked = silent.map((what) => ({ what, why }));
    const answers = asked.flatMap((service) => question.answers.get(service) ?? []);
    return presentResourceCheck(resource, answers, notChecked);
  }

  private ask(id: string, resource: string): Promise<void> {
    const { instance } = this.broker.identity;
    return this.questions.say(ResourceCheckRequested.routingKey ?? '', () =>
      ResourceCheckRequested.create({
        id: `${id}:asked`,
        source: `/api/${instance}`,
        subject: id,
        time: new Date().toISOString(),
        data: { resource, validUntil: new Date(Date.now() + ANSWERED_WITHIN_MS).toISOString() },
      }),
    );
  }
}
