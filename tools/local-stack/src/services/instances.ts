export const serviceNames = ['api', 'deleter', 'storage-cleaner', 'monitor'] as const;
export type ServiceName = (typeof serviceNames)[number];

export type Replicas = Readonly<Record<ServiceName, number>>;

export interface Instance {
  readonly service: ServiceName;
  /** `deleter-1`; the same over all its lives. */
  readonly name: string;
  readonly port: number;
  readonly url: string;
}

export function countOf(replicas: Replicas): number {
  return serviceNames.reduce((sum, service) => sum + replicas[service], 0);
}

/** @param ports as many as there are instances */
export function instancesOf(replicas: Replicas, ports: readonly number[]): Instance[] {
  const names = serviceNames.flatMap((service) =>
    Array.from({ length: replicas[service] }, (_, index) => ({ service, name: `${service}-${index + 1}` })),
  );
  return names.map((instance, index) => {
    const port = ports[index];
    if (port === undefined) throw new Error(`no port for ${instance.name}`);
    return { ...instance, port, url: `http://127.0.0.1:${port}` };
  });
}
