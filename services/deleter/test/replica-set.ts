import { bodyOf, isAnswer, Relay, withBody } from './relay.js';

const NAME = 'rs0';

/**
 * The engine stands alone. Behind this relay its greetings say that it is the primary of a replica set, and a driver
 * takes it for one.
 *
 * @returns the URL of the same database as one of a replica set
 */
export async function asReplicaSet(url: string): Promise<{ relay: Relay; url: string }> {
  let me = '';
  const answered = (message: Buffer) => {
    const body = isAnswer(message) ? bodyOf(message) : {};
    const isGreeting = 'isWritablePrimary' in body || 'ismaster' in body;
    return isGreeting
      ? withBody(message, { ...body, setName: NAME, setVersion: 1, hosts: [me], me, primary: me })
      : message;
  };
  const { relay, host, url: ofRelay } = await Relay.before(url, () => ({ asked: (message) => message, answered }));
  me = host;
  return { relay, url: `mongodb://${host}${new URL(ofRelay).pathname}?replicaSet=${NAME}` };
}
