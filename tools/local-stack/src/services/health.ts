export type Health = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Asks `GET /health/ready` or `/health/live`; why not, in the service's own words where it has any. */
export async function askHealth(url: string, which: 'ready' | 'live'): Promise<Health> {
  const path = `/health/${which}`;
  try {
    const answer = await fetch(url + path, { signal: AbortSignal.timeout(5_000) });
    const body = await answer.text();
    if (answer.ok) return { ok: true };
    return { ok: false, why: `${path} answers ${answer.status} ${body.slice(0, 500)}` };
  } catch (error) {
    const { message, cause } = error as Error;
    return { ok: false, why: `${path}: ${cause instanceof Error ? cause.message : message}` };
  }
}
