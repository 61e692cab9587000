// oidc-provider without its greeting: on a Node.js release that is no LTS yet it warns at import, and the demo's log is to be quiet.

const warn = console.warn;
console.warn = (message: unknown, ...rest: unknown[]) => {
  if (!String(message).includes('Unsupported runtime')) warn(message, ...rest);
};

export const { Provider, errors, interactionPolicy } = await import('oidc-provider');

console.warn = warn;
