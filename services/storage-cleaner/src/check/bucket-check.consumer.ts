import type { AnyMessage } from '@expunge/contracts';
import { type BrokerConnection, Consumes } from '@expunge/messaging';
import { BROKER, CheckAnswers, LOGGER } from '@expunge/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { Logger } from 'pino';
import { OBJECT_STORE, type ObjectStore } from '../object-store/object-store.js';
import { bucketChecks } from './bucket-check.js';

@Controller()
export class BucketCheckConsumer {
  private readonly answers: CheckAnswers;

  constructor(
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(BROKER) broker: BrokerConnection,
    @Inject(LOGGER) log: Logger,
  ) {
    this.answers = new CheckAnswers(broker, log);
  }

  @Consumes({ transient: 'storageCleanerChecks' })
  onAsked(@Payload() message: AnyMessage): Promise<void> {
    return this.answers.to(message, async ({ bucket: name }) => {
      const bucket = this.store.inBucket(name);
      const [refusal, versioning] = await Promise.all([bucket.probe(), bucket.versioning()]);
      return bucketChecks(refusal, versioning, name);
    });
  }
}
