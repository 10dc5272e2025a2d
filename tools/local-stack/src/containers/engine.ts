import { type ContainerRuntimeClient, getContainerRuntimeClient, ImageName } from 'testcontainers';

/** What a server in a container is made from; RabbitMQ's needs the management plugin. */
export interface Images {
  readonly rabbitmq: string;
  readonly mongodb: string;
}

export function imagesOf(env: NodeJS.ProcessEnv): Images {
  return {
    rabbitmq: env['RABBITMQ_IMAGE'] || 'rabbitmq:4.1-management',
    mongodb: env['MONGODB_IMAGE'] || 'mongo:8.0',
  };
}

/** The container engine of this machine: Docker, or what speaks like it. @throws Error none answers */
export async function containerEngine(): Promise<ContainerRuntimeClient> {
  try {
    return await getContainerRuntimeClient();
  } catch (error) {
    throw new Error('no container engine answers', { cause: error });
  }
}

/** Images the engine would have to pull first. */
export async function missingImages(engine: ContainerRuntimeClient, images: Images): Promise<string[]> {
  const names = Object.values(images) as string[];
  const there = await Promise.all(names.map((name) => engine.image.exists(ImageName.fromString(name))));
  return names.filter((_, index) => !there[index]);
}

/** @throws Error it is not there and cannot be pulled */
export async function ensureImage(engine: ContainerRuntimeClient, name: string): Promise<void> {
  const image = ImageName.fromString(name);
  if (await engine.image.exists(image)) return;
  await engine.image.pull(image).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot pull ${name}: ${why}; RABBITMQ_IMAGE and MONGODB_IMAGE name others`, { cause });
  });
}
