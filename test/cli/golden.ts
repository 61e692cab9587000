// What a command printed, held against the file that says what it should; UPDATE=1 writes the file instead.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
export const manifests = 'test/review/manifests';

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as a process, without what the environment may say of a cluster or a token. */
export function sallyport(args: readonly string[], input = ''): Ran {
  const { KUBECONFIG: _, SALLYPORT_ADMIN_TOKEN_FILE: __, ...env } = process.env;
  return spawnSync(join(root, 'bin/sallyport'), args, { encoding: 'utf8', cwd: root, env, input });
}

/** What a command prints, without a process of its own. */
export async function printed(command: Command, args: readonly string[]): Promise<string> {
  const texts: string[] = [];
  assert.equal(await command(args, (text) => texts.push(text)), 0, args.join(' '));
  return texts.join('\n');
}

export type Command = (args: readonly string[], print: (text: string) => void) => Promise<number>;

export function assertGolden(name: string, text: string): void {
  const file = join(import.meta.dirname, 'golden', `${name}.txt`);
  if (process.env['UPDATE'] === '1') writeFileSync(file, `${text.trimEnd()}\n`);
  assert.equal(`${text.trimEnd()}\n`, readFileSync(file, 'utf8'), name);
}
