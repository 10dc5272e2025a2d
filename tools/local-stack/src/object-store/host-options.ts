export interface HostOptions {
  readonly port: number;
  readonly folder: string;
  readonly buckets: readonly string[];
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}
