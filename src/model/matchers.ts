// The matchers of the policy language as zod schemas: how a text, a list, an address or a time may be compared.
import { z } from 'zod';
import { formed } from './fields.ts';

/**
 * An object with exactly one of the given fields. It is closed: the API server would prune a misspelt field before it
 * validates, so that one of two would vanish beside the other. Kept, it counts: `maxProperties: 1` refuses two of which one
 * is misspelt, and the rule refuses one that is. `reserved` are names that are kept for later, for its message.
 */
export function exactlyOne<Shape extends z.ZodRawShape>(
  shape: Shape,
  description: string,
  reserved: readonly string[] = [],
) {
  const names = Object.keys(shape);
  const kept = reserved.length === 0 ? '' : ` (${reserved.join(' and ')} are reserved, and not there yet)`;
  const message = `exactly one of ${names.join(', ')} is needed${kept}`;
  return z
    .strictObject(shape)
    .partial()
    .refine((value) => Object.keys(value).length === 1, { error: message })
    .meta({
      description,
      closed: true,
      minProperties: 1,
      maxProperties: 1,
      'x-kubernetes-validations': [{ rule: names.map(isThere).join(' || '), message }],
    });
}

/** In CEL. `in` is an operator there, and Kubernetes spells a field of that name otherwise. */
function isThere(name: string): string {
  return `has(self.${name === 'in' ? '__in__' : name})`;
}

/** As exactlyOne, with one field more that says what is compared: the path of a claim, the name of a header. */
function oneBeside<Subject extends z.ZodRawShape, Shape extends z.ZodRawShape>(
  subject: Subject,
  shape: Shape,
  description: string,
) {
  const [subjectName = ''] = Object.keys(subject);
  const names = Object.keys(shape);
  const message = `${subjectName} and exactly one of ${names.join(', ')} are needed`;
  return z
    .strictObject({ ...subject, ...z.strictObject(shape).partial().shape })
    .refine((value) => Object.keys(value).length === 2, { error: message })
    .meta({
      description,
      closed: true,
      // Both are needed, so that a misspelt field beside them is one too many.
      maxProperties: 2,
      'x-kubernetes-validations': [{ rule: `[${names.map(isThere).join(', ')}].exists_one(one, one)`, message }],
    });
}

const text = (description: string) => z.string().min(1).max(1024).meta({ description });
const texts = (description: string) => z.array(z.string().min(1).max(1024)).min(1).max(256).meta({ description });
const dataSet = (description: string) => z.string().min(1).max(63).meta({ description });

const stringOperators = {
  is: text('Equal to this, letter for letter.'),
  not: text('Different from this.'),
  in: texts('Equal to one of these.'),
  notIn: texts('Equal to none of these.'),
  startsWith: text('Begins with this.'),
  endsWith: text('Ends with this.'),
  contains: text('Holds this anywhere.'),
  matches: text('All of it matches this regular expression (RE2 syntax, judged in linear time).'),
  inDataSet: dataSet('Stands in the data set of this name: an element of its list, or a key of its map.'),
  notInDataSet: dataSet('Does not stand in the data set of this name.'),
};

const listOperators = {
  has: text('The list holds this.'),
  is: text('The list holds this and nothing else.'),
  exclude: text('The list does not hold this.'),
  hasAnyInDataSet: dataSet('An element of the list stands in the data set of this name.'),
  hasNoneInDataSet: dataSet('No element of the list stands in the data set of this name.'),
};

export const stringMatcher = (of: string) => exactlyOne(stringOperators, `How ${of} must look. Letter case counts.`);
export const listMatcher = (of: string) => exactlyOne(listOperators, `What ${of} must hold.`);

/** A text under a name of its own, such as a header. */
export const namedStringMatcher = (subject: z.ZodRawShape, description: string) =>
  oneBeside(subject, stringOperators, description);
export const namedListMatcher = <Subject extends z.ZodRawShape>(subject: Subject, description: string) =>
  oneBeside(subject, listOperators, description);

export type StringMatcher = Readonly<z.infer<ReturnType<typeof stringMatcher>>>;
export type ListMatcher = Readonly<z.infer<ReturnType<typeof listMatcher>>>;

/** RE2 tells an IPv4 address exactly, an IPv6 one roughly; policy/check reads it to the end. */
export const range = z
  .string()
  .min(1)
  .max(64)
  .regex(
    /^(((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\/(3[0-2]|[12]?[0-9]))?|[0-9a-fA-F.]*:[0-9a-fA-F:.]*(\/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$/,
    { error: 'an address or a CIDR is wanted, such as 192.0.2.7 or 10.0.0.0/8' },
  );

const timeWanted = 'a time of day is wanted, such as 08:30 or 20:00:15';
const dateWanted =
  'a date or a moment is wanted: 2026-12-24, 2026-12-24T18:00:00 in the timezone, or with an offset such as Z or +01:00';

/** `08:30`, `20:00:15`. */
export const clockTime = formed(/^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$/, 8, timeWanted);

/**
 * A day (its first moment), a local moment, or a moment with an offset. Its pattern alone stands in the CRD, as do a zone's and
 * a header's: rules in words for them, under eight operators, cost more than the API server grants a kind.
 */
export const moment = z
  .string()
  .regex(
    /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(Z|[+-]([01][0-9]):[0-5][0-9])?)?$/,
    { error: dateWanted },
  )
  .max(32);

/** An IANA name; policy/check knows whether there is such a zone. */
export const timezone = z
  .string()
  .regex(/^[A-Za-z0-9_+-]{1,32}(\/[A-Za-z0-9_+-]{1,32}){0,2}$/, {
    error: 'the name of a time zone is wanted, such as Europe/Berlin',
  })
  .max(64)
  .default('UTC')
  .meta({ description: 'The IANA time zone in which it is read.' });
