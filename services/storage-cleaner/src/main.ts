import { runService } from '@expunge/runtime';

await runService('storage-cleaner', async () => (await import('./service.js')).storageCleaner);
