/** A job as `GET /api/jobs/{id}` tells it, as far as the demo looks. */
export interface Job {
  readonly id: string;
  readonly status: string;
  readonly progress: {
    readonly processed: number;
    readonly succeeded: number;
    readonly failed_count: number;
    readonly total: number | null;
    readonly objects: {
      readonly purged: number;
      readonly retained: number;
      readonly failed: number;
      readonly pending: number;
    };
  };
  /** Records a second; null when too little is known. */
  readonly rate?: number | null;
  /** When it will be done (RFC 3339); null when too little is known. */
  readonly eta?: string | null;
  readonly last_error?: unknown;
  readonly diagnosis?: unknown;
}

/** What the API answered instead, in its own words. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

/** The API as one tenant's user sees it. */
export class JobClient {
  constructor(
    private readonly api: string,
    private readonly token: string,
  ) {}

  /** Asks for every receipt of the tenant to be deleted; returns the job's id. */
  async deleteAllReceipts(): Promise<string> {
    const body = JSON.stringify({ resource: 'receipts', selection: { all: true }, reason: 'demo' });
    const answer = await this.#call('/api/jobs', { method: 'POST', body });
    const { id } = (await answer.json()) as { id?: string };
    if (answer.status !== 202 || id === undefined || !answer.headers.has('location')) {
      throw new UnexpectedAnswer(`POST /api/jobs answered ${answer.status} without id or Location`);
    }
    return id;
  }

  /** null: not there yet. */
  async job(id: string): Promise<Job | null> {
    const answer = await this.#call(`/api/jobs/${encodeURIComponent(id)}`, { method: 'GET' }, [404]);
    return answer.status === 404 ? null : ((await answer.json()) as Job);
  }

  async #call(path: string, init: RequestInit, expected: readonly number[] = []): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    const answer = await fetch(this.api + path, { ...init, headers, signal: AbortSignal.timeout(15_000) });
    if (answer.ok || expected.includes(answer.status)) return answer;
    throw new UnexpectedAnswer(`${init.method ?? 'GET'} ${path} answered ${answer.status}: ${await answer.text()}`);
  }
}
