import { runService } from '@expunge/runtime';

await runService('deleter', async () => (await import('./service.js')).deleter);
