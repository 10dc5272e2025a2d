import { main } from '@expunge/runtime/main';

await main('deleter', async () => (await import('./service.js')).deleter);
