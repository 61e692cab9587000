// The annotation vocabulary: one table of what an Ingress may say under sallyport.dev/, from which the reference page is made.

export const annotationPrefix = 'sallyport.dev/';

export interface AnnotationEntry {
  /** For the reference page. */
  readonly meaning: string;
  /**
   * What happens until a value that cannot be understood is mended. `Denies`: without it, requests would be let through, or would
   * reach or reveal something, that was not meant. Otherwise in words, after "until it is mended".
   */
  readonly misread: 'Denies' | (string & {});
  /** It names a Secret of the Ingress's namespace, whose content is fetched. */
  readonly secret?: true;
}

const denies = 'Denies';
const noCors = 'no page of another origin may call';

const access = {
  access: {
    meaning: 'Who may enter, in one word: `public` (anybody, no sign-in) or `authenticated` (anybody signed in).',
    misread: denies,
  },
  'allow-emails': { meaning: 'E-mail addresses that may enter, separated by commas.', misread: denies },
  'allow-domains': { meaning: 'E-mail domains whose people may enter, separated by commas.', misread: denies },
  'allow-groups': { meaning: 'Groups whose members may enter, separated by commas.', misread: denies },
  policy: {
    meaning:
      'Names of Policies in the same namespace that govern this Ingress, separated by commas. All of them must allow.',
    misread: denies,
  },
} as const satisfies Record<string, AnnotationEntry>;

const cors = {
  'cors-allow-origin': {
    meaning:
      'Origins whose pages may call this host, separated by commas, such as `https://app.example.com`; `*` is any. With it CORS is Sallyport’s: it answers preflights, and puts the headers on every answer.',
    misread: noCors,
  },
  'cors-allow-methods': {
    meaning: 'Methods that such a page may use; by default GET, HEAD, POST, PUT, PATCH and DELETE.',
    misread: noCors,
  },
  'cors-allow-headers': {
    meaning: 'Request headers that such a page may send; by default those that it asks for.',
    misread: noCors,
  },
  'cors-expose-headers': { meaning: 'Response headers that such a page may read.', misread: noCors },
  'cors-allow-credentials': {
    meaning: '`true`: such a page may send cookies, so that its person is known. Not with `*`.',
    misread: noCors,
  },
  'cors-max-age': {
    meaning: 'How long a browser may remember a preflight, in seconds; by default 600.',
    misread: noCors,
  },
} as const satisfies Record<string, AnnotationEntry>;

// An application may show everything at / and only /shop was meant to be reached; a host chooses among virtual hosts.
const rewrites = {
  'rewrite-path': {
    meaning:
      'A path that the application gets in the place of each route’s own path: of `/shop/a` at `/shop`, `/` makes `/a`.',
    misread: denies,
  },
  'rewrite-path-regex': {
    meaning:
      'A regular expression (RE2) that a whole path must match to be rewritten; others pass as they are. With `rewrite-path-substitution`.',
    misread: denies,
  },
  'rewrite-path-substitution': {
    meaning: 'What the application gets instead, with `\\1` to `\\9` for the groups of `rewrite-path-regex`.',
    misread: denies,
  },
  'upstream-host': {
    meaning:
      'The Host header that the application gets instead of the one asked for: a name, or `upstream` for the name of its own Service.',
    misread: denies,
  },
} as const satisfies Record<string, AnnotationEntry>;

// A header may be what keeps an application closed (a credential, read-only) or a page safe (a content security policy).
const headers = {
  'set-request-headers': {
    meaning:
      'Headers that the application gets, one `Name: value` a line; what the client sent of the same name is dropped.',
    misread: denies,
  },
  'add-request-headers': {
    meaning: 'Headers that the application gets beside what the client sent, one `Name: value` a line.',
    misread: denies,
  },
  'remove-request-headers': {
    meaning: 'Names of headers that the application does not get, separated by commas.',
    misread: denies,
  },
  'set-request-headers-secret': {
    meaning:
      'The name of an Opaque Secret in the same namespace: each key is a header that the application gets, such as `Authorization`.',
    misread: denies,
    secret: true,
  },
  'set-response-headers': {
    meaning: 'Headers of the application’s answers, one `Name: value` a line; its own of the same name are dropped.',
    misread: denies,
  },
  'add-response-headers': {
    meaning: 'Headers of the application’s answers beside its own, one `Name: value` a line.',
    misread: denies,
  },
  'remove-response-headers': {
    meaning: 'Names of headers of the application’s answers that are dropped, separated by commas.',
    misread: denies,
  },
  'set-response-headers-secret': {
    meaning: 'The name of an Opaque Secret in the same namespace: each key is a header of the application’s answers.',
    misread: denies,
    secret: true,
  },
} as const satisfies Record<string, AnnotationEntry>;

// Who may enter is still decided first. Misread, a redirect or a maintenance would let people through to the application.
const instead = {
  redirect: {
    meaning:
      'Where people are sent instead of to the application. `https://new.example.com`: there, with path and query as they are. `…/docs`: exactly there. `…/docs/*`: there, with what follows the route’s own path, and the query. `/docs` and `/docs/*` stay on the host.',
    misread: denies,
  },
  'redirect-status': {
    meaning: 'The status of the redirect: 301, 302, 303, 307 or 308; by default 302.',
    misread: '302 is used',
  },
  maintenance: {
    meaning: '`true`: whoever may enter gets a page that says so, with status 503, instead of the application.',
    misread: 'the page is shown',
  },
  'maintenance-message': { meaning: 'A sentence or two for that page.', misread: 'the page says nothing of its own' },
  'maintenance-retry-after': {
    meaning: 'After how many seconds a program may try again (`Retry-After`).',
    misread: 'no time is named',
  },
} as const satisfies Record<string, AnnotationEntry>;

const connections = {
  'connect-timeout': {
    meaning: 'How long connecting to the application may take, such as `2s`; by default what the class says.',
    misread: 'what the class says counts',
  },
  'first-byte-timeout': {
    meaning: 'How long the application may take to begin its answer, such as `5m`; by default what the class says.',
    misread: 'what the class says counts',
  },
  'idle-timeout': {
    meaning: 'How long a connection may be silent, such as `1h`; by default what the class says.',
    misread: 'what the class says counts',
  },
  upgrades: {
    meaning:
      'Protocols that a connection may switch to, separated by commas, such as `websocket, spdy/3.1`; `none` for none. By default websocket.',
    misread: 'no connection switches to another protocol',
  },
} as const satisfies Record<string, AnnotationEntry>;

// Without them a host is as it is by default: plain http is sent to https.
const transport = {
  'https-redirect': {
    meaning: '`false`: plain http is served too, where the host has a certificate. Nobody can sign in there.',
    misread: 'plain http is sent to https',
  },
  'hsts-max-age': {
    meaning:
      'For how many seconds browsers reach this host over https only (`Strict-Transport-Security`); `0` takes it back. By default nothing is said.',
    misread: 'nothing is said of it',
  },
  'hsts-include-subdomains': { meaning: '`true`: that is so for all hosts below, too.', misread: 'they are left out' },
  'hsts-preload': {
    meaning: '`true`: browsers may come with this knowledge built in. It needs a year or more, and the hosts below.',
    misread: 'they may not',
  },
} as const satisfies Record<string, AnnotationEntry>;

// Misread, requests with all that people send would go out in plain text, or to whoever answers.
const upstream = {
  'upstream-protocol': {
    meaning:
      'What the application speaks: `http`, `https` (HTTP/1.1 over TLS) or `h2c` (HTTP/2 without TLS, as for gRPC). By default what the appProtocol of its port says, else http.',
    misread: denies,
  },
  'upstream-tls-server-name': {
    meaning:
      'The name that the application must prove over TLS; by default that of its Service, such as `app.shop.svc`.',
    misread: denies,
  },
  'upstream-tls-verify': {
    meaning: '`off`: it need not prove its name. Whoever answers in its place then reads and changes what passes.',
    misread: denies,
  },
  'upstream-ca-secret': {
    meaning:
      'The name of a Secret in the same namespace whose `ca.crt` holds the authorities that vouch for it; by default those of the class, or that Node.js trusts.',
    misread: denies,
    secret: true,
  },
  'upstream-client-certificate-secret': {
    meaning:
      'The name of a kubernetes.io/tls Secret in the same namespace: the certificate by which Sallyport proves itself to the application.',
    misread: denies,
    secret: true,
  },
} as const satisfies Record<string, AnnotationEntry>;

/** Every annotation there is. */
export const annotations = {
  ...access,
  ...cors,
  ...rewrites,
  ...headers,
  ...instead,
  ...connections,
  ...transport,
  ...upstream,
};
export type Annotation = keyof typeof annotations;

export const accessNames = Object.keys(access) as readonly (keyof typeof access)[];

/** Whether an Ingress that says this unintelligibly denies everybody. */
export function deniesMisread(name: Annotation): boolean {
  return annotations[name].misread === denies;
}

/** Those that name a Secret. */
export const secretAnnotations: readonly Annotation[] = (Object.keys(annotations) as Annotation[]).filter(
  (name) => 'secret' in annotations[name],
);

/** Names that are kept for what is to come: until then each is a warning, and has no effect. */
export const reservedAnnotations = {
  'load-balancing': 'How the next endpoint is chosen.',
  retries: 'How often a request is tried again.',
  'retry-on': 'After which failures a request is tried again.',
  'rate-limit': 'Requests a client may make in a time.',
  'concurrency-limit': 'Requests that may be under way at a time.',
  'max-body-size': 'How long the body of a request may be.',
  'health-check-path': 'What endpoints are asked to see whether they are well.',
  'outlier-detection': 'When an endpoint that fails is left out for a while.',
  'sticky-sessions': 'How a client comes to the same endpoint again.',
  'canary-weight': 'Which part of the requests goes to another Service.',
  'canary-header': 'Which header sends a request to another Service.',
  'canary-cookie': 'Which cookie sends a request to another Service.',
  mirror: 'Which Service gets a copy of each request.',
} as const;
export type ReservedAnnotation = keyof typeof reservedAnnotations;

/** Where an annotation stands, for diagnostics. */
export function annotationPath(name: string): string {
  return `metadata.annotations[${name.includes('/') ? name : annotationPrefix + name}]`;
}
