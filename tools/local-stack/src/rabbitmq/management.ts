export type Rights = Record<'configure' | 'write' | 'read', string>;

const permissionsPath = (vhost: string, user: string) =>
  `/api/permissions/${encodeURIComponent(vhost)}/${encodeURIComponent(user)}`;

/** The few calls of RabbitMQ's management API a stack needs. The URL carries user and password. */
export class Management {
  readonly #base: string;
  readonly #authorization: string;

  constructor(readonly url: string) {
    const { username, password, origin, pathname } = new URL(url);
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#base = origin + pathname.replace(/\/$/, '');
    this.#authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }

  /** Whether the AMQP listener answers; false also while the API itself does not. */
  async listens(port: number): Promise<boolean> {
    try {
      await this.call('GET', `/api/health/checks/port-listener/${port}`);
      return true;
    } catch {
      return false;
    }
  }

  async createVhost(name: string, user: string): Promise<void> {
    await this.call('PUT', `/api/vhosts/${encodeURIComponent(name)}`, {});
    await this.permit(name, user);
  }

  /** Creates the user, or gives the one there is this password and these tags. */
  async putUser(name: string, password: string, tags: readonly string[]): Promise<void> {
    await this.call('PUT', `/api/users/${encodeURIComponent(name)}`, { password, tags: tags.join(',') });
  }

  async deleteUser(name: string): Promise<void> {
    await this.call('DELETE', `/api/users/${encodeURIComponent(name)}`);
  }

  /** Everything, unless told otherwise; each right is a pattern of names. */
  async permit(vhost: string, user: string, rights: Partial<Rights> = {}): Promise<void> {
    await this.call('PUT', permissionsPath(vhost, user), { configure: '.*', write: '.*', read: '.*', ...rights });
  }

  /** The user may no longer connect to the vhost. */
  async forbid(vhost: string, user: string): Promise<void> {
    await this.call('DELETE', permissionsPath(vhost, user));
  }

  async deleteVhost(name: string): Promise<void> {
    await this.call('DELETE', `/api/vhosts/${encodeURIComponent(name)}`);
  }

  /** Of every client (of one vhost), as a network that breaks would; one that has ended meanwhile is none. */
  async closeConnections(vhost?: string): Promise<void> {
    const path = vhost === undefined ? '' : `/vhosts/${encodeURIComponent(vhost)}`;
    const open = JSON.parse(await this.call('GET', `/api${path}/connections`)) as { name: string }[];
    const close = ({ name }: { name: string }) => this.call('DELETE', `/api/connections/${encodeURIComponent(name)}`);
    await Promise.allSettled(open.map(close));
  }

  /** Any other: its answer as text. A call may be repeated, so it has to mean the same the second time. */
  async call(method: string, path: string, body?: unknown): Promise<string> {
    const response = await this.#ask(method, path, body);
    const answer = await response.text();
    if (!response.ok) throw new Error(`RabbitMQ management: ${method} ${path} answered ${response.status}: ${answer}`);
    return answer;
  }

  async #ask(method: string, path: string, body: unknown): Promise<Response> {
    for (let tries = 1; ; tries++) {
      try {
        return await fetch(this.#base + path, {
          method,
          headers: { authorization: this.#authorization, 'content-type': 'application/json' },
          signal: AbortSignal.timeout(10_000),
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      } catch (error) {
        if (tries === MOST_TRIES || !wasClosed(error)) throw error;
      }
    }
  }
}

/** Each may meet another of the connections that are kept. */
const MOST_TRIES = 4;

/** A kept connection was closed just as it was used. No `instanceof`: under Jest, fetch throws errors of another realm. */
const wasClosed = (error: unknown): boolean =>
  (error as { cause?: { code?: unknown } } | null)?.cause?.code === 'UND_ERR_SOCKET';
