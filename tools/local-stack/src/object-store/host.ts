import type { HostOptions } from './host-options.js';
import { runSimulator } from './simulator.js';

// Started by start-object-store.ts: node host.js <options as JSON>.
process.on('disconnect', () => process.exit(0));
const ready = await runSimulator(JSON.parse(process.argv[2] ?? '{}') as HostOptions);
process.send?.({ ready });
