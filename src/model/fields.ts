// The small schemas that fields of our kinds are made of.
import { z } from 'zod';

export const name = z.string().min(1).max(253);
export const described = <T extends z.ZodType>(schema: T, description: string): T => schema.meta({ description });

/** A text of one form. The API server's own words would be the pattern; its rule says what is wanted instead. */
export const formed = (pattern: RegExp, max: number, wanted: string) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(pattern, { error: wanted })
    .meta({ 'x-kubernetes-validations': [{ rule: `self.matches(r'${pattern.source}')`, message: wanted }] });

export const providerReference = z.strictObject({ name: described(name, 'Name of an IdentityProvider.') });

export const secretReference = z.strictObject({
  namespace: described(name, "The Secret's namespace."),
  name: described(name, "The Secret's name."),
});

export const secretKeyReference = secretReference.extend({
  key: described(name, 'The key within the Secret.'),
});

export const providerReferences = z.array(providerReference).min(1).max(16).optional();

/** An object that says one of several things: a rule for the API server, and the same for the parser. */
export function oneOf<T extends z.ZodObject>(schema: T, names: readonly (keyof T['shape'] & string)[], wanted: string) {
  const rule = `[${names.map((one) => `has(self.${one})`).join(', ')}].filter(given, given).size() == 1`;
  const isOne = (value: Readonly<Record<string, unknown>>) =>
    names.filter((one) => value[one] !== undefined).length === 1;
  return schema.refine(isOne, { error: wanted }).meta({ 'x-kubernetes-validations': [{ rule, message: wanted }] });
}
