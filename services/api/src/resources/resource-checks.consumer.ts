import type { AnyMessage } from '@expunge/contracts';
import { Consumes } from '@expunge/messaging';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { ResourceChecks } from './resource-checks.service.js';

@Controller()
export class ResourceChecksConsumer {
  constructor(@Inject(ResourceChecks) private readonly checks: ResourceChecks) {}

  @Consumes({ transient: 'apiChecks' })
  onChecked(@Payload() message: AnyMessage): Promise<void> {
    if (message.type === 'ResourceChecked') this.checks.heard(message);
    return Promise.resolve();
  }
}
