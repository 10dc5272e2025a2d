import { main } from '@expunge/runtime/main';

await main('monitor', async () => (await import('./service.js')).monitor);
