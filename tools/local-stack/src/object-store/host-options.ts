export interface HostOptions {
  /** The address to listen on; the loopback one unless told. */
  readonly host?: string;
  /** What clients call it, besides its address. */
  readonly names?: readonly string[];
  readonly port: number;
  readonly folder: string;
  readonly buckets: readonly string[];
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}
