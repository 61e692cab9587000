// Whom a refused person may ask, and which rule it was: what the policy that refused says of it, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access, AttachedPolicy, Operators, Policy } from '../../src/model/policy.ts';
import { ana, withRig } from './rig.ts';
import type { RouteMaker } from './rig.ts';

const nobody: Operators = { and: [{ reject: true }] };
const everybody: Operators = { and: [{ accept: true }] };

function policy(name: string, action: 'allow' | 'deny', operators: Operators, change: Partial<Policy> = {}): Policy {
  return { name, mode: 'Enforce', rules: [{ name: `rule of ${name}`, [action]: operators }], ...change };
}

const own = (one: Policy): AttachedPolicy => ({ policy: one, attachment: 'Own' });
const mandatory = (one: Policy): AttachedPolicy => ({ policy: one, attachment: 'Mandatory' });
const access = (...policies: AttachedPolicy[]): Access => ({ policies, defaultAccess: 'Deny' });

/** What a program is told, and the page of a person. */
async function refused(by: Access, denied?: string): Promise<{ problem: Record<string, unknown>; html: string }> {
  const hosts = (routeTo: RouteMaker) => [
    { host: 'app.example.com', routes: [routeTo('/', by, denied === undefined ? {} : { denied })] },
  ];
  const answers: { problem: Record<string, unknown>; html: string }[] = [];
  await withRig({ hosts }, async ({ get }) => {
    const cookie = 'Cookie: __Host-sallyport=good';
    const program = await get('/', cookie);
    const person = await get('/', cookie, 'Accept: text/html');
    assert.deepEqual([program.status, person.status], [403, 403]);
    answers.push({ problem: JSON.parse(program.body) as Record<string, unknown>, html: person.body });
  });
  const [answer] = answers;
  assert.ok(answer);
  return answer;
}

test('the contact is that of the policy that refused, not of another', async () => {
  const open = own(policy('open', 'allow', everybody, { contact: '#open' }));
  const guard = mandatory(policy('guard', 'deny', everybody, { contact: 'security@example.com' }));
  const { problem, html } = await refused(access(open, guard));
  assert.equal(problem['contact'], 'security@example.com');
  assert.match(html, /<dt>Whom to ask<\/dt><dd>security@example\.com<\/dd>/);
  assert.doesNotMatch(html, /#open|people who run this site/);
  assert.ok(html.includes(ana.email ?? '-'));
});

test('of a policy that refused and names nobody, nobody else’s contact is shown', async () => {
  const open = own(policy('open', 'allow', everybody, { contact: '#open' }));
  const { problem, html } = await refused(access(open, mandatory(policy('guard', 'deny', everybody))));
  assert.equal(problem['contact'], undefined);
  assert.match(html, /please ask the people who run this site/);
});

test('where no policy refused by name it is the first of the Ingress’s own that has one', async () => {
  const audit = own(policy('first', 'allow', everybody, { mode: 'Audit' }));
  const second = own(policy('second', 'allow', everybody, { mode: 'Audit', contact: '#second' }));
  assert.equal((await refused(access(audit, second))).problem['contact'], '#second');
  const whole = access(own(policy('open', 'allow', everybody, { contact: '#open' })));
  assert.equal((await refused(whole, 'there is no Policy x')).problem['contact'], '#open');
});

test('which rule refused is said only where its policy reveals it', async () => {
  const deny = (change: Partial<Policy>) =>
    access(own(policy('open', 'allow', everybody, { reveal: true })), own(policy('guard', 'deny', everybody, change)));
  const hidden = await refused(deny({}));
  assert.equal(hidden.problem['rule'], undefined);
  assert.doesNotMatch(JSON.stringify(hidden), /rule of|guard|open\b.*rule/);
  const shown = await refused(deny({ reveal: true }));
  assert.equal(shown.problem['rule'], 'rule of guard');
  assert.match(shown.html, /<dt>Because<\/dt><dd>rule of guard<\/dd>/);
  // Of a policy that lets nobody in, no rule is the one.
  const closed = await refused(access(own(policy('closed', 'allow', nobody, { reveal: true }))));
  assert.doesNotMatch(JSON.stringify(closed), /rule of/);
});

test('a contact is text, whatever it holds', async () => {
  const contact = `<script>alert(1)</script><img src=x onerror=alert(1)>"'&\u0000 javascript:x`;
  const guard = own(
    policy('guard', 'deny', everybody, { contact, reveal: true, rules: [{ name: contact, deny: everybody }] }),
  );
  const { html, problem } = await refused(access(guard));
  assert.doesNotMatch(html, /<script|<img/);
  assert.equal(
    html.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;/g)?.length,
    2,
  );
  assert.deepEqual([problem['contact'], problem['rule']], [contact, contact]);
});
