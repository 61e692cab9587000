// Where claims are found, how groups are read, and what is said where there are none.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { groupsFault, hasUnknownGroups, identityOf, lacksClaims } from '../../src/auth/provider/claims.ts';
import type { ClaimPaths } from '../../src/model/settings.ts';
import { providerSettings } from './fake-provider.ts';

const base = { sub: 'ana', email: 'ana@example.com', email_verified: true };

function settingsWith(claims: Partial<ClaimPaths>) {
  const settings = providerSettings('fake', 'https://idp.example.com');
  return { ...settings, claims: { ...settings.claims, ...claims } };
}

const groupsOf = (claims: Record<string, unknown>, paths: Partial<ClaimPaths> = {}) =>
  identityOf(settingsWith(paths), { ...base, ...claims }).groups;

describe('groups are found', () => {
  test('under names that hold dots, slashes and colons, and nowhere near them', () => {
    assert.deepEqual(groupsOf({ 'https://example.com/groups': ['a'] }, { groups: ['https://example.com/groups'] }), [
      'a',
    ]);
    assert.deepEqual(groupsOf({ 'cognito:groups': ['a'] }, { groups: ['cognito:groups'] }), ['a']);
    assert.deepEqual(groupsOf({ realm_access: { roles: ['a'] } }, { groups: ['realm_access.roles'] }), []);
  });

  test('within other claims, and within each object of a list', () => {
    assert.deepEqual(groupsOf({ realm_access: { roles: ['a', 'b'] } }, { groups: ['realm_access', 'roles'] }), [
      'a',
      'b',
    ]);
    const paths = { groups: ['resource_access', 'my.client', 'roles'] };
    assert.deepEqual(groupsOf({ resource_access: { 'my.client': { roles: ['a'] } } }, paths), ['a']);
    assert.deepEqual(groupsOf({ groups: [{ name: 'a' }, { name: 'b' }, 'c', null] }, { groups: ['groups', 'name'] }), [
      'a',
      'b',
    ]);
  });

  test('and neither in a prototype nor in the length of a list', () => {
    for (const groups of [['constructor'], ['__proto__'], ['groups', 'length'], ['groups', 'constructor', 'name']]) {
      assert.deepEqual(groupsOf({ groups: ['a'] }, { groups }), [], groups.join('.'));
    }
  });

  test('in one text, which is taken apart only where the settings say at what', () => {
    const dn = 'CN=admins,OU=Groups,DC=example,DC=com';
    assert.deepEqual(groupsOf({ groups: dn }), [dn]);
    assert.deepEqual(groupsOf({ groups: 'a, b,,c ' }, { groupsSeparator: ',' }), ['a', 'b', 'c']);
    assert.deepEqual(groupsOf({ groups: 'a b' }, { groupsSeparator: ' ' }), ['a', 'b']);
    for (const groupsSeparator of [',', undefined])
      assert.deepEqual(groupsOf({ groups: '' }, groupsSeparator === undefined ? {} : { groupsSeparator }), []);
    assert.deepEqual(groupsOf({ groups: ['a,b'] }, { groupsSeparator: ',' }), ['a,b'], 'a list is taken as it is');
  });
});

test('people and addresses are found within other claims, too', () => {
  const settings = settingsWith({ user: ['federated_claims', 'user_id'], email: ['profile', 'mail'] });
  const claims = { federated_claims: { user_id: 'ana1' }, profile: { mail: 'ana@example.com' } };
  const { user, email } = identityOf(settings, { ...base, ...claims });
  assert.deepEqual([user, email], ['ana1', 'ana@example.com']);
  assert.equal(lacksClaims(settings, { ...claims, groups: [] }), false);
  assert.equal(lacksClaims(settings, { ...claims, federated_claims: {}, groups: [] }), true);
  const other = { ...base, ...claims, profile: { mail: 'ceo@example.com' } };
  assert.equal(identityOf(settings, other).email, undefined, 'email_verified speaks of the claim email alone');
});

test('where there are no groups, it is known why', () => {
  const faultOf = (claims: Record<string, unknown>, paths: Partial<ClaimPaths> = {}) =>
    groupsFault(settingsWith(paths), { ...base, ...claims });
  for (const groups of [[], ['a'], '', 'a', ['a', 7]])
    assert.equal(faultOf({ groups }), undefined, JSON.stringify(groups));
  assert.equal(faultOf({}), 'Missing');
  for (const groups of [7, true, null, { a: 1 }, [{ name: 'a' }], [7]])
    assert.equal(faultOf({ groups }), 'Unreadable', JSON.stringify(groups));
  const elsewhere = {
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'https://graph.example.com' } },
  };
  assert.equal(faultOf(elsewhere), 'Overage');
  assert.equal(faultOf({ hasgroups: true }), 'Overage');
  assert.equal(faultOf({ _claim_names: { address: 'src1' } }), 'Missing');
  assert.equal(faultOf(elsewhere, { groups: ['roles'] }), 'Missing');
  assert.equal(faultOf({ ...elsewhere, groups: ['a'] }), undefined);
});

test('who is in groups that the claims do not tell is not in none', () => {
  const isUnknown = (claims: Record<string, unknown>) => hasUnknownGroups(settingsWith({}), { ...base, ...claims });
  assert.equal(isUnknown({ _claim_names: { groups: 'src1' } }), true);
  assert.equal(isUnknown({ groups: { a: 1 } }), true);
  for (const claims of [{}, { groups: [] }, { groups: ['a'] }]) assert.equal(isUnknown(claims), false);
});
