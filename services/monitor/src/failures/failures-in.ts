import { type FailureView, positions } from '@expunge/contracts';
import type { LedgerMessage, Recorded } from '../projection/recorded.js';

/** What a job left, as it is kept: by what it is, so that the same one heard of again is one. */
export interface Failure extends FailureView {
  /** Unique within the job. */
  name: string;
  /** The retry under which the purge failed, or the end of the job at which it was found. */
  round: number;
}

/** Everything that an event says has stayed. */
export function failuresIn({ message }: Recorded): Failure[] {
  switch (message.type) {
    case 'BatchDeleted':
      return message.data.failures.map(({ id, code, message: text }) => ({
        ...ofRecord('record', message, id),
        code,
        message: text,
      }));
    case 'ObjectPurgeFailed': {
      const { batch, positions: failed, objectKeys = [], round = 0, code, message: text } = message.data;
      return [...positions.each(failed)].map((position, i) => ({
        ...ofObject('object', message, { batch, position, key: objectKeys[i] ?? null }),
        round,
        code,
        message: text,
      }));
    }
    case 'RecordsVerified':
      return message.data.firstLeft.map((id) => ({
        ...ofRecord('record-left', message, id),
        round: message.data.finished,
        code: 'LEFT',
        message: 'matched the selection after the job had finished',
      }));
    case 'ObjectsChecked':
      return message.data.present.flatMap(({ batch, positions: present, objectKeys }) =>
        [...positions.each(present)].map((position, i) => ({
          ...ofObject('object-left', message, { batch, position, key: objectKeys[i] ?? null }),
          round: message.data.finished,
          code: 'LEFT',
          message: 'is still in the bucket, which said that it had deleted it',
        })),
      );
    default:
      return [];
  }
}

function ofRecord(kind: 'record' | 'record-left', { time: at }: LedgerMessage, id: string | number) {
  return { kind, name: `${kind}:${id}`, id, key: null, batch: null, position: null, round: 0, at };
}

function ofObject(
  kind: 'object' | 'object-left',
  { time: at }: LedgerMessage,
  object: { batch: number; position: number; key: string | null },
) {
  return { kind, name: `${kind}:${object.batch}:${object.position}`, id: null, ...object, at };
}
