import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Clone } from '../support/command.js';

let clone: Clone;
beforeAll(() => {
  clone = new Clone();
});
afterAll(() => clone.remove(), 30_000);

const good = { code: 0, last: expect.objectContaining({ deleted: 300, purged: 600, other_tenant_intact: true }) };

describe('npm run demo', () => {
  it('interrupted while it deletes leaves no process and no folder, and works again right after', async () => {
    const first = clone.run('demo', ['--records', '50000', '--objects-per-record', '0']);
    await first.line(/^POST \/api\/jobs answered 202/);
    first.signal('SIGINT');
    expect(await first.ended).toBe(130);
    expect(first.output).not.toContain('says the API');
    expect(await clone.run('demo', ['--records', '300', '--json']).json()).toEqual(good);
    await clone.untilNothingIsLeft();
  });

  it('passes twice side by side', async () => {
    const both = [1, 2].map(() => clone.run('demo', ['--records', '300', '--json']).json());
    expect(await Promise.all(both)).toEqual([good, good]);
    await clone.untilNothingIsLeft();
  });
});
