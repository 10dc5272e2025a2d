import { BaseRpcContext } from '@nestjs/microservices';
import type { Delivery } from './delivery.js';

/** Nest's `@Ctx()` of a handler. */
export class DeliveryContext extends BaseRpcContext<[Delivery]> implements Delivery {
  readonly queue: string;
  readonly attempt: number;
  readonly redelivered: boolean;

  constructor(delivery: Delivery) {
    super([delivery]);
    this.queue = delivery.queue;
    this.attempt = delivery.attempt;
    this.redelivered = delivery.redelivered;
  }
}
