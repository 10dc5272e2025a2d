import type { AnyMessage } from '@expunge/contracts';
import { type BrokerConnection, Consumes } from '@expunge/messaging';
import { BROKER, CheckAnswers, CheckQuestions, LOGGER } from '@expunge/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { Logger } from 'pino';
import { ResourceCheckService } from './resource-check.service.js';

@Controller()
export class ResourceCheckConsumer {
  private readonly answers: CheckAnswers;

  constructor(
    private readonly checks: ResourceCheckService,
    private readonly questions: CheckQuestions,
    @Inject(BROKER) broker: BrokerConnection,
    @Inject(LOGGER) log: Logger,
  ) {
    this.answers = new CheckAnswers(broker, log);
  }

  @Consumes({ transient: 'deleterChecks' })
  onMessage(@Payload() message: AnyMessage): Promise<void> {
    if (message.type === 'ResourceChecked') {
      this.questions.heard(message);
      return Promise.resolve();
    }
    return this.answers.to(message, ({ resource }) => this.checks.check(resource));
  }
}
