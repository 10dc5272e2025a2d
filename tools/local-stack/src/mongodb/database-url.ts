/** The URL of another database on the same server. WHATWG's URL does not take an encoded socket path for a host. */
export function databaseUrl(serverUrl: string, database: string): string {
  const [, server = '', query = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(serverUrl) ?? [];
  if (server === '') throw new Error(`not a MongoDB URL: ${serverUrl}`);
  return `${server}/${encodeURIComponent(database)}${query}`;
}
