import { LOGGER, READINESS, Readiness, SETTINGS } from '@expunge/runtime';
import { Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import { BucketCheckConsumer } from './check/bucket-check.consumer.js';
import { CheckService } from './check/check.service.js';
import { BucketReadiness } from './object-store/bucket-readiness.js';
import { CallLimits } from './object-store/call-limit.js';
import { OBJECT_STORE, type ObjectStore } from './object-store/object-store.js';
import { S3ObjectStore } from './object-store/s3-object-store.adapter.js';
import { PurgeBatchesConsumer } from './purge/purge-batches.consumer.js';
import { s3OptionsOf, type StorageCleanerSettings } from './settings.js';

@Module({
  controllers: [PurgeBatchesConsumer, BucketCheckConsumer],
  providers: [
    {
      provide: OBJECT_STORE,
      inject: [SETTINGS],
      useFactory: (settings: StorageCleanerSettings) => new S3ObjectStore(s3OptionsOf(settings)),
    },
    { provide: CallLimits, inject: [LOGGER], useFactory: (log: Logger) => new CallLimits(log) },
    {
      provide: CheckService,
      inject: [OBJECT_STORE, CallLimits],
      useFactory: (store: ObjectStore, limits: CallLimits) => new CheckService(store, limits),
    },
  ],
})
export class StorageCleanerModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(READINESS) private readonly readiness: Readiness,
  ) {}

  onModuleInit(): void {
    const bucket = new BucketReadiness(this.store);
    this.readiness.register('bucket', () => bucket.check());
  }

  /** After the drain: until then a purge may be under way. */
  onApplicationShutdown(): void {
    this.store.close();
  }
}
