import { TransientError } from '@expunge/messaging';
import { LOGGER, SETTINGS } from '@expunge/runtime';
import { asStoreError, isFirst } from '@expunge/runtime/store';
import { Inject, Injectable } from '@nestjs/common';
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import { v5 } from 'uuid';
import { keyReused } from '../acceptance/acceptance-problems.js';
import type { ApiSettings } from '../settings.js';
import { STORE, type Store } from '../store.js';

interface KeyBinding {
  /** Of the key and its place. */
  _id: string;
  asked: string;
  usedAt: Date;
}

const KEPT_FOR_S = 86_400;
const SOON = { timeoutMS: 2_000 };
const NAMESPACE = '5d0a3b51-6f0e-4b0e-9a8e-0f4f7c6f1b7d';

/** Something asked for with an Idempotency-Key, in a place where no other may be asked for with it. */
export interface KeyedAsking {
  place: readonly string[];
  key: string;
  /** Of the key and the body. */
  asked: string;
}

/**
 * Holds each Idempotency-Key of a request to a job to the body it was taken with first. Where the store is away nothing is
 * compared: it must not keep anybody from stopping a job, and the same key and body are the same message without it.
 */
@Injectable()
export class KeyBindings {
  private readonly bindings: Collection<KeyBinding>;
  private indexed: Promise<unknown> | null = null;

  constructor(
    @Inject(STORE) store: Store,
    @Inject(SETTINGS) settings: ApiSettings,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    this.bindings = store.db(`${settings.DATABASE_PREFIX}api`).collection('key-bindings');
  }

  /** Whether this was asked with the key before. @throws ProblemError idempotency-key-reused: something else was */
  async isBound(asking: KeyedAsking): Promise<boolean> {
    const found = await this.unlessAway(() => this.bindings.findOne({ _id: idOf(asking) }, SOON));
    if (found && found.asked !== asking.asked) throw keyReused();
    return found !== null;
  }

  /** For a day, on all instances. @throws ProblemError idempotency-key-reused: something else was faster */
  async bind(asking: KeyedAsking): Promise<void> {
    const binding = { _id: idOf(asking), asked: asking.asked, usedAt: new Date() };
    const isNew = await this.unlessAway(async () => {
      await (this.indexed ??= this.createIndex());
      return isFirst(() => this.bindings.insertOne(binding, SOON));
    });
    if (isNew === false) await this.isBound(asking);
  }

  private async createIndex(): Promise<void> {
    try {
      await this.bindings.createIndex({ usedAt: 1 }, { expireAfterSeconds: KEPT_FOR_S }, SOON);
    } catch (error) {
      this.indexed = null;
      throw error;
    }
  }

  /** Null: the store is away. */
  private async unlessAway<T>(call: () => Promise<T>): Promise<T | null> {
    try {
      return await asStoreError('API_STORE_UNAVAILABLE', call);
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      this.log.warn({ err: error }, 'an idempotency key is not compared');
      return null;
    }
  }
}

const idOf = ({ place, key }: KeyedAsking): string => v5(JSON.stringify([...place, key]), NAMESPACE);
