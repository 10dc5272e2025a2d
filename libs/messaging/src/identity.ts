/** Who this process is, on the broker and in heartbeats. */
export interface Identity {
  service: string;
  /** Unique among all processes of the service, now and later. */
  instance: string;
  host: string;
  version: string;
  startedAt: Date;
}

/** The connection's name at the broker. */
export const connectionName = ({ service, instance }: Identity): string => `${service}@${instance}`;

/** What a consumer is found by: the broker's own rows of consumers do not carry the connection's name. */
export const consumerTag = (identity: Identity, queue: string): string => `${connectionName(identity)}:${queue}`;
