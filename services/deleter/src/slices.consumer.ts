import { type AnyMessage, workQueues } from '@expunge/contracts';
import { Consumes, ValidationError } from '@expunge/messaging';
import { ACTIVITY, Activity } from '@expunge/runtime';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { SliceService } from './slice.service.js';

@Controller()
export class SlicesConsumer {
  constructor(
    private readonly slices: SliceService,
    @Inject(ACTIVITY) private readonly activity: Activity,
  ) {}

  @Consumes(workQueues.deleterSlices)
  async onSliceDue(@Payload() message: AnyMessage): Promise<void> {
    if (message.type !== 'SliceDue') throw new ValidationError(`${message.type} is no slice`);
    const underway = this.activity.begin('slice', message.subject);
    try {
      await this.slices.run(message.subject, message.data.turn, message.data.seen ?? null);
    } finally {
      underway.end();
    }
  }
}
