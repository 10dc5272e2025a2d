import { TransientError } from './errors.js';

/** No queue took the message (`mandatory`): nobody has it. */
export class UnroutableError extends TransientError {
  override readonly name = 'UnroutableError';

  constructor(message: string) {
    super('BROKER_UNROUTABLE', message);
  }
}

/** The broker refused the message (a negative confirm): nobody has it. */
export class NotConfirmedError extends TransientError {
  override readonly name = 'NotConfirmedError';

  constructor(message: string, options?: ErrorOptions) {
    super('BROKER_NOT_CONFIRMED', message, options);
  }
}

/** The channel died with the message on its way, or no confirm came in time: publish again with the same message id. */
export class OutcomeUnknownError extends TransientError {
  override readonly name = 'OutcomeUnknownError';

  constructor(message: string, options?: ErrorOptions) {
    super('BROKER_OUTCOME_UNKNOWN', message, options);
  }
}

/** There is no connection, or the broker takes nothing on it now; the message was not sent: nobody has it. */
export class BrokerUnavailableError extends TransientError {
  override readonly name = 'BrokerUnavailableError';

  constructor(message: string, options?: ErrorOptions) {
    super('BROKER_UNAVAILABLE', message, options);
  }
}
