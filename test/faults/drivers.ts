/** For what is loaded into a service by `node --import`: the insides of the drivers it uses, to be wrapped. */
import { createRequire } from 'node:module';
import type { Channel } from 'amqplib';

const main = process.argv[1] ?? '';

export interface Drivers {
  mongodb: { Connection: { prototype: object } };
  amqplib: Record<'Channel' | 'ConfirmChannel', { prototype: Channel }>;
  s3: { NodeHttpHandler: { prototype: object } };
}

export type Method = (...args: unknown[]) => unknown;

/** @param instead given the method bound to its object, its arguments and the object */
export function wrap(
  of: object,
  name: string,
  instead: (real: Method, args: unknown[], self: unknown) => unknown,
): void {
  const methods = of as Record<string, Method | undefined>;
  const real = methods[name];
  if (!real) throw new Error(`there is no ${name} to wrap`);
  methods[name] = function (this: unknown, ...args) {
    return instead(real.bind(this), args, this);
  };
}

/** A file of a driver, of the very copy that the service loads; `file` from where the driver begins. */
export function internal(path: string[], file: string): unknown {
  const entry = path.reduce((from, name) => createRequire(from).resolve(name), main);
  return createRequire(entry)(file);
}
