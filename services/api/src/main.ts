import { main } from '@expunge/runtime/main';

await main('api', async () => (await import('./service.js')).api);
