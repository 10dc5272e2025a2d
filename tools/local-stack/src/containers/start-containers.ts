import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { StartedMongoDb } from '../mongodb/start-mongodb.js';
import { withFreePorts } from '../ports.js';
import { type Part, Supervised } from '../process/supervised.js';
import { Management } from '../rabbitmq/management.js';
import type { StartedRabbitMq } from '../rabbitmq/start-rabbitmq.js';
import type { Surroundings } from '../surroundings.js';
import { Container, type ContainerOptions } from './container.js';
import { ContainerProcess } from './container-process.js';
import { containerEngine } from './engine.js';

const amqpPort = 5672;
const managementPort = 15_672;
const mongoDbPort = 27_017;

/** A node in a container; its data and name outlive its deaths, and go with it when it is stopped. */
export function startRabbitMqContainer(surroundings: Surroundings, image: string): Promise<StartedRabbitMq> {
  return withFreePorts(2, async ([amqp = 0, management = 0]) => {
    const user = 'expunge';
    const password = randomBytes(18).toString('hex');
    const credentials = `${user}:${password}`;
    const managementUrl = `http://${credentials}@127.0.0.1:${management}`;
    const api = new Management(managementUrl);
    const { container, server, stop } = await startContainer(surroundings, {
      name: `${surroundings.run.id}-rabbitmq`,
      image,
      hostname: 'rabbitmq',
      env: { RABBITMQ_DEFAULT_USER: user, RABBITMQ_DEFAULT_PASS: password },
      ports: [
        { inside: amqpPort, outside: amqp },
        { inside: managementPort, outside: management },
      ],
      answers: () => api.listens(amqpPort),
    });
    return {
      url: `amqp://${credentials}@127.0.0.1:${amqp}`,
      managementUrl,
      server,
      ctl: (...args) => container.exec(['rabbitmqctl', ...args]),
      stop,
    };
  });
}

/** A server that stands alone, in a container, without users. */
export function startMongoDbContainer(surroundings: Surroundings, image: string): Promise<StartedMongoDb> {
  return withFreePorts(1, async ([port = 0]) => {
    const url = `mongodb://127.0.0.1:${port}/?directConnection=true`;
    const { server, stop } = await startContainer(surroundings, {
      name: `${surroundings.run.id}-mongodb`,
      image,
      ports: [{ inside: mongoDbPort, outside: port }],
      answers: () => answersPing(url),
    });
    return { url, server, stop };
  });
}

interface Answering extends ContainerOptions {
  readonly answers: () => Promise<boolean>;
}

async function startContainer({ guard, supervision }: Surroundings, { answers, ...options }: Answering) {
  const container = await Container.create(await containerEngine(), guard, options);
  let lastLines = '';
  const part: Part<ContainerProcess> = {
    name: options.name,
    spawn: () => new ContainerProcess(container),
    ready: async (process, signal) => {
      await process.started;
      void process.exited.then(async () => (lastLines = await container.lastLines().catch(() => '')));
      while (!(await answers())) await delay(100, undefined, { signal });
      return process.pid;
    },
    lastWords: () => lastLines,
  };
  const server = new Supervised(part, supervision(120_000));
  const stop = async (patience: number) => {
    await server.stop(patience);
    await container.remove();
  };
  try {
    await server.start();
  } catch (error) {
    await stop(0);
    throw error;
  }
  return { container, server, stop };
}

async function answersPing(url: string): Promise<boolean> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 500 });
  try {
    await client.db('admin').command({ ping: 1 });
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}
