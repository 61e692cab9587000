// CVE-2026-33496, CVE-2026-71326: two questions that were joined to one key had one answer, and somebody was somebody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brought, engineersAccess, session, sentHeader, withRig } from '../../proxy/rig.ts';

const hosts = ['a.example.com', 'a.example.com.b.example.com', 'b.example.com'];
const values = [
  'x',
  'xb.example.com',
  'b.example.comx',
  'x:x',
  'x,x',
  'x|x',
  'x%20x',
  'x.x',
  '0',
  '__proto__',
  'constructor',
];

test('each host and cookie is a question of its own, also when all are asked at once', () =>
  withRig(
    { hosts: (to) => hosts.map((host) => ({ host, routes: [to('/', engineersAccess)] })) },
    async ({ get, authority, upstream }) => {
      authority.open = async (host, credential) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        const cookie = brought(credential);
        return session(`${host} ${cookie}`, {
          identity: { user: `${host}+${cookie}`, groups: ['engineering'], claims: {} },
        });
      };
      const asked = hosts.flatMap((host) => values.map((value) => [host, value] as const));
      for (let round = 0; round < 2; round += 1) {
        upstream.requests.length = 0;
        await Promise.all(
          asked.map(async ([host, value]) => {
            const answer = await get('/', `Host: ${host}`, `Cookie: __Host-sallyport=${value}`);
            assert.equal(answer.status, 200, `${host} ${value}`);
            assert.equal(sentHeader(answer.body, 'x-sallyport-user'), `${host}+${value}`.replaceAll('%', '%25'));
          }),
        );
      }
    },
  ));
