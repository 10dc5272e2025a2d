export interface DurableWrites {
  w: number | 'majority';
  journal: true;
}

/**
 * What a write must have reached before it counts. On a replica set a majority's journals. A server that stands alone is
 * asked for its own journal and no more: asked for a majority it was seen to acknowledge the last writes before it was
 * killed, and to lose them. It is told by `directConnection=true`; a URL that says `w` itself is taken at its word.
 */
export function writeConcernOf(url: string): DurableWrites {
  const options = new URLSearchParams(url.split('?')[1] ?? '');
  const own = options.get('w');
  if (own !== null) return { w: /^\d+$/.test(own) ? Number(own) : 'majority', journal: true };
  return { w: options.get('directConnection') === 'true' ? 1 : 'majority', journal: true };
}
