export interface DurableWrites {
  w: number | 'majority';
  journal: true;
}

/**
 * What a write must have reached before it counts. On a replica set a majority's journals. A server that stands alone is
 * asked for its own journal and no more: asked for a majority it was seen to acknowledge the last writes before it was
 * killed, and to lose them. It is told by `directConnection=true`, or by a `w` in its URL. In the URL of a replica set a `w`
 * changes nothing: it was written for an application, which can write again what it has lost.
 */
export function writeConcernOf(url: string): DurableWrites {
  const [servers = '', query = ''] = url.split('?');
  const options = new URLSearchParams(query);
  const isReplicaSet = options.has('replicaSet') || servers.startsWith('mongodb+srv:') || servers.includes(',');
  const own = options.get('w');
  if (own !== null) return { w: /^\d+$/.test(own) && !isReplicaSet ? Number(own) : 'majority', journal: true };
  return { w: options.get('directConnection') === 'true' ? 1 : 'majority', journal: true };
}
