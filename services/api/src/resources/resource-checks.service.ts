import type { ResourceChecked, ResourceDefinition } from '@expunge/contracts';
import type { BrokerConnection } from '@expunge/messaging';
import { BROKER, CheckQuestions, LOGGER } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { presentResourceCheck, type PresentedResourceCheck } from './resource-answers.js';

/** Longer than any of their looks takes. */
const ANSWERED_WITHIN_MS = 6_000;
const asked = ['deleter', 'storage-cleaner'] as const;

/** Asks those who would delete whether they can. */
@Injectable()
export class ResourceChecks {
  private readonly questions: CheckQuestions;

  constructor(
    @Inject(BROKER) private readonly broker: BrokerConnection,
    @Inject(LOGGER) log: Logger,
  ) {
    this.questions = new CheckQuestions(broker, log);
  }

  heard(message: ResourceChecked): void {
    this.questions.heard(message);
  }

  /** Never rejects: what nobody answers is `not_checked`. */
  async check(resource: ResourceDefinition): Promise<PresentedResourceCheck> {
    const answers = await this.questions.ask(resource, asked, ANSWERED_WITHIN_MS);
    const why = this.broker.connected
      ? `none has answered within ${ANSWERED_WITHIN_MS / 1000} s`
      : 'the broker is away';
    const notChecked = asked.filter((service) => !answers.has(service)).map((what) => ({ what, why }));
    const inOrder = asked.flatMap((service) => answers.get(service) ?? []);
    return presentResourceCheck(resource.name, inOrder, notChecked);
  }
}
