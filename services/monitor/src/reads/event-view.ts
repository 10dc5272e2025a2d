import type { LedgerEventView } from '@expunge/contracts';
import type { LedgerEntry } from '../ledger/ledger.repository.js';

export function eventView({ _id, position, type, source, sequence, time, message }: LedgerEntry): LedgerEventView {
  return { position, id: _id, type, source, sequence, time, data: message.data };
}
