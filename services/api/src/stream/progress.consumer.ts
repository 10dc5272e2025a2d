import type { AnyMessage } from '@expunge/contracts';
import { Consumes } from '@expunge/messaging';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Streams } from './streams.service.js';

/** What monitors say as they write a job's document. */
@Controller()
export class ProgressConsumer {
  constructor(@Inject(Streams) private readonly streams: Streams) {}

  @Consumes({ transient: 'apiProgress' })
  onChanged(@Payload() message: AnyMessage): Promise<void> {
    if (message.type === 'ProjectionChanged') this.streams.changed(message.subject);
    return Promise.resolve();
  }
}
