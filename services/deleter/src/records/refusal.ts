import type { ErrorInfo } from '@expunge/contracts';
import { MongoServerError, MongoWriteConcernError } from 'mongodb';

/** Codes with which a server blames a record: it cannot be read, written to a log, taken out of an index, or is protected. */
const blamesRecord = new Set([
  22, // InvalidBSON
  121, // DocumentValidationFailure
  171, // CannotIndexParallelArrays
  201, // CannotBuildIndexKeys
  241, // ConversionFailure
  257, // TransactionTooLarge
  301, // DataCorruptionDetected
  357, // InvalidBSONType
  378, // NonConformantBSON
  388, // TransactionTooLargeForCache
]);

/** From here on codes are no names but places in the server's source, most of them reached with a record in hand. */
const FIRST_PLACE = 10_000;
const blamesNoRecord = new Set([
  13297, // DatabaseDifferCase
  13388, // StaleConfig
  14031, // OutOfDiskSpace
  40414, // IDLFailedToParse
  40415, // IDLUnknownField
  46841, // ClientMarkedKilled
]);

/**
 * Why the server refused a delete for the sake of some record. Null: it did not, or not for good, or nobody knows what
 * came of it. Asked only about what `isStoreUnavailable` does not know.
 */
export function refusalIn(error: unknown): ErrorInfo | null {
  // Was carried out, and perhaps rolled back: no refusal.
  if (!(error instanceof MongoServerError) || error instanceof MongoWriteConcernError) return null;
  const { code, codeName, message } = error;
  if (typeof code !== 'number') return null;
  if (!blamesRecord.has(code) && (code < FIRST_PLACE || blamesNoRecord.has(code))) return null;
  return { code: codeName ?? `Location${code}`, message };
}
