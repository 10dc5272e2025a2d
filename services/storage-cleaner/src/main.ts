import { main } from '@expunge/runtime/main';

await main('storage-cleaner', async () => (await import('./service.js')).storageCleaner);
