import type { IdType, WireId } from '@expunge/contracts';
import mongoose from 'mongoose';

const { ObjectId, UUID, Long, Binary } = mongoose.mongo;

/** The BSON types of the ids of one `idType`. Comparisons do not cross types, so a page asks for these alone. */
export const bsonTypes: Record<IdType, readonly string[]> = {
  objectId: ['objectId'],
  number: ['int', 'long', 'double'],
  string: ['string'],
  uuid: ['binData'],
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
      return typeof id === 'number' ? id : null;
    case 'string':
      return typeof id === 'string' ? id : null;
  }
}
