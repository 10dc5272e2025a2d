import { runService } from '@expunge/runtime';

await runService('api', async () => (await import('./service.js')).api);
