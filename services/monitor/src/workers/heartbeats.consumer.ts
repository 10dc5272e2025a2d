import type { AnyMessage } from '@expunge/contracts';
import { Consumes } from '@expunge/messaging';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { WorkerRepository } from './worker.repository.js';

@Controller()
export class HeartbeatsConsumer {
  constructor(private readonly workers: WorkerRepository) {}

  @Consumes({ transient: 'monitorHeartbeats' })
  async onHeartbeat(@Payload() message: AnyMessage): Promise<void> {
    if (message.type === 'WorkerHeartbeat') await this.workers.heard(message.data);
  }
}
