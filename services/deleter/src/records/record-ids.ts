import type { IdType, WireId } from '@expunge/contracts';
import { Binary, Long, ObjectId, UUID } from 'mongodb';

const ANY_UUID = {
  $gte: new UUID('00000000-0000-0000-0000-000000000000'),
  $lte: new UUID('ffffffff-ffff-ffff-ffff-ffffffffffff'),
};

/**
 * A condition on `_id` that ids of one type meet and no other: comparisons do not cross types, so a page must ask for
 * its own. UUIDs are a range: their BSON type holds other binaries, which sort by length, subtype, bytes. Numbers are
 * finite: JSON has no word for the others.
 */
export const ofType: Record<IdType, Record<string, unknown>> = {
  objectId: { $type: 'objectId' },
  number: { $type: ['int', 'long', 'double'], $gte: -Number.MAX_VALUE, $lte: Number.MAX_VALUE },
  string: { $type: 'string' },
  uuid: ANY_UUID,
};

/** An id as JSON carries it, to what the database stores. */
export function toBson(idType: IdType, id: WireId): unknown {
  switch (idType) {
    case 'objectId':
      return new ObjectId(String(id));
    case 'uuid':
      return new UUID(String(id));
    case 'number':
      return typeof id === 'number' ? id : Long.fromString(id);
    case 'string':
      return String(id);
  }
}

/** What the database stores, to JSON; integers beyond 2^53 become their digits. Null: of another type. */
export function toWire(idType: IdType, id: unknown): WireId | null {
  switch (idType) {
    case 'objectId':
      return id instanceof ObjectId ? id.toHexString() : null;
    case 'uuid':
      return id instanceof Binary && id.sub_type === Binary.SUBTYPE_UUID ? id.toUUID().toHexString() : null;
    case 'number':
      if (typeof id === 'bigint') return Number.isSafeInteger(Number(id)) ? Number(id) : id.toString();
      return typeof id === 'number' && Number.isFinite(id) ? id : null;
    case 'string':
      return typeof id === 'string' ? id : null;
  }
}
