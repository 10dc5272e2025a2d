import type { Fault } from './fault.js';
import type { Lane } from './lane.js';
import { expectEvidence } from './said.js';

const refused = (name: string, refuse: (lane: Lane) => Promise<void>, observed: RegExp): Fault => ({
  name,
  code: 'BROKER:NO_PERMISSION',
  isNoEvent: true,
  make: async (lane) => {
    await refuse(lane);
    return {
      isTrue: (said) => expectEvidence(said, { source: 'broker', check: 'rights of the user', observed }),
      repair: async () => {
        await lane.user.create();
        await lane.user.permit();
      },
    };
  },
});

export const rightsFaults: Fault[] = [
  refused(
    "the services' user may not enter the vhost any more",
    ({ user }) => user.forbid(),
    /^NOT_ALLOWED: there is no vhost lane-\d, or the user may not enter it$/,
  ),
  refused("the password of the services' user was changed", ({ user }) => user.changePassword(), /403|ACCESS.REFUSED/i),
];
