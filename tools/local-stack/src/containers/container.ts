import { text } from 'node:stream/consumers';
import type { ContainerRuntimeClient } from 'testcontainers';
import type { Guard } from '../process/guard.js';
import { ensureImage } from './engine.js';

export interface ContainerOptions {
  readonly name: string;
  readonly image: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its host name, which RabbitMQ's data are bound to. */
  readonly hostname?: string;
  /** Ports inside, by those on the loopback address of the engine's host. */
  readonly ports: readonly { readonly inside: number; readonly outside: number }[];
}

type Handle = ReturnType<ContainerRuntimeClient['container']['getById']>;

/** A container that can die and be started again. Made by testcontainers' client, which finds the engine and pulls. */
export class Container {
  private constructor(
    private readonly engine: ContainerRuntimeClient,
    private readonly handle: Handle,
  ) {}

  static async create(engine: ContainerRuntimeClient, guard: Guard, options: ContainerOptions): Promise<Container> {
    const { name, image, env = {}, hostname, ports } = options;
    await ensureImage(engine, image);
    const bindings = ports.map(
      ({ inside, outside }) => [`${inside}/tcp`, [{ HostIp: '127.0.0.1', HostPort: String(outside) }]] as const,
    );
    const handle = await engine.container.create({
      name,
      Image: image,
      ...(hostname === undefined ? {} : { Hostname: hostname }),
      Env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
      ExposedPorts: Object.fromEntries(bindings.map(([port]) => [port, {}])),
      HostConfig: { PortBindings: Object.fromEntries(bindings) as Record<string, unknown> },
    });
    guard.addContainer(handle.id);
    return new Container(engine, handle);
  }

  /** @returns the pid of its first process, as the engine's host counts */
  async start(): Promise<number> {
    await this.engine.container.start(this.handle);
    return (await this.engine.container.inspect(this.handle)).State.Pid;
  }

  async ended(): Promise<string> {
    const { StatusCode } = (await this.handle.wait()) as { StatusCode: number };
    return `exit code ${StatusCode}`;
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    if (signal === 'SIGSTOP') {
      await this.handle.pause();
      return;
    }
    // What is paused takes no signal.
    if (signal === 'SIGCONT' || signal === 'SIGKILL') await this.handle.unpause().catch(() => undefined);
    if (signal !== 'SIGCONT') await this.handle.kill({ signal });
  }

  /** Resolves with what the command prints. @throws Error it ended with another code than 0 */
  async exec(command: string[]): Promise<string> {
    const { exitCode, output } = await this.engine.container.exec(this.handle, command);
    if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with exit code ${exitCode}\n${output}`);
    return output;
  }

  async lastLines(): Promise<string> {
    return text(await this.engine.container.logs(this.handle, { tail: 15, follow: false }));
  }

  /** With its data. */
  async remove(): Promise<void> {
    await this.handle.remove({ force: true, v: true });
  }
}
