import { runService } from '@expunge/runtime';

await runService('monitor', async () => (await import('./service.js')).monitor);
