// The fields of a Pomerium route, and annotations of an Ingress, that say who may use it → rules of ours.
import type { Rule } from '../../model/policy.ts';
import { isRecord } from './criterion.ts';
import { convertPolicy, finish } from './convert.ts';
import type { Conversion, LostPart } from './convert.ts';

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** Fields that name whom a route is for, as the criteria that Pomerium makes of them; undefined: not of its type. */
const lists: Readonly<Record<string, (value: unknown) => readonly object[] | undefined>> = {
  allowed_domains: (value) => (isTexts(value) ? anyOf(value, 'domain') : undefined),
  allowed_users: (value) => (isTexts(value) ? [...anyOf(value, 'user'), ...anyOf(value, 'email')] : undefined),
  allowed_idp_claims: (value) => {
    if (!isRecord(value)) return undefined;
    const wanted = Object.entries(value).map(([name, values]) =>
      Array.isArray(values) ? values.map((one: unknown) => ({ [`claim/${name}`]: one })) : undefined,
    );
    return wanted.includes(undefined) ? undefined : wanted.flatMap((criteria) => criteria ?? []);
  },
};

function anyOf(values: readonly string[], name: string): readonly object[] {
  return values.length === 0 ? [] : [{ [name]: values.length === 1 ? values[0] : { in: values } }];
}

/**
 * By their names in Pomerium without the prefix of its annotations, values parsed from YAML; other fields are none of this
 * function's business. All that they allow is joined by "or", with the rules of `policy` too. Total: it never throws.
 */
export function convertPomeriumRoute(route: Readonly<Record<string, unknown>>): Conversion {
  const lost: LostPart[] = [];
  const lose = (path: string, message: string) => lost.push({ path, message, widens: false });
  const isOn = (path: string): boolean => {
    const value = route[path];
    if (value !== undefined && typeof value !== 'boolean') lose(path, 'true or false is wanted');
    return value === true;
  };
  const allowed: { readonly path: string; readonly criterion: object }[] = [];
  for (const [path, read] of Object.entries(lists)) {
    const criteria = route[path] === undefined ? [] : read(route[path]);
    if (criteria === undefined) lose(path, 'a list of texts is wanted, or a map of lists for allowed_idp_claims');
    else allowed.push(...criteria.map((criterion) => ({ path, criterion })));
  }
  if (isOn('allow_any_authenticated_user')) {
    allowed.push({ path: 'allow_any_authenticated_user', criterion: { authenticated_user: true } });
  }
  if (isOn('allow_public_unauthenticated_access')) {
    const path = 'allow_public_unauthenticated_access';
    if (allowed.length > 0) lose(path, publicAndRestricted);
    else allowed.push({ path, criterion: { accept: true } });
  }
  if (isOn('cors_allow_preflight')) allowed.push({ path: 'cors_allow_preflight', criterion: { cors_preflight: true } });
  if (route['allowed_groups'] !== undefined) {
    lose('allowed_groups', 'Pomerium has not known it since 0.20; allow groups or claim/groups in a policy');
  }
  const fields = convertPolicy({ allow: { or: allowed.map(({ criterion }) => criterion) } });
  const policy = route['policy'] === undefined ? { result: [], lost: [] } : convertPolicy(route['policy']);
  const fieldsLost = fields.lost.map((part) => ({ ...part, path: fieldAt(part.path, allowed) }));
  return finish({
    result: [...fields.result.map(nameFields), ...policy.result],
    lost: [...lost, ...fieldsLost, ...policy.lost],
  });
}

const publicAndRestricted =
  'Pomerium refuses a route that is public and for certain people; it is taken to be for these people alone';

function nameFields(rule: Rule): Rule {
  return { ...rule, name: 'what the fields of the route allowed' };
}

/** `policy.allow.or[3]` of the policy that was made of the fields → `allowed_idp_claims`. */
function fieldAt(path: string, allowed: readonly { readonly path: string }[]): string {
  const index = /\[([0-9]+)\]$/.exec(path)?.[1];
  return allowed[Number(index)]?.path ?? path;
}
