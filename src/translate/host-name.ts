// What a host name is: lower-case labels, as DNS and certificates have them.

const pattern = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

export function isHostName(text: string): boolean {
  return pattern.test(text);
}
