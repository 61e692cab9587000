// What hostile patterns and expressions take at most, in time and memory, as a markdown table: bin/node --expose-gc bench/policy-hostile.ts
import { compileCel, maxSteps } from '../src/policy/cel.ts';
import { compilePattern } from '../src/policy/pattern.ts';
import { hostileExpressions, hostilePatterns, largest } from '../test/policy/hostile.ts';

const rounds = 15;
const limitMs = 10;
const limitMb = 10;

interface Measured {
  readonly ms: number;
  readonly mb: number;
}

/**
 * The mean of several rounds, each with something new, for a compiled pattern remembers; of this thread's time, for another
 * process would count too. Memory is what stands on the heap directly afterwards, garbage included, and the least of them.
 */
function mean<Thing>(make: () => Thing, use: (thing: Thing) => unknown): Measured {
  let microseconds = 0;
  let mb = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const thing = make();
    globalThis.gc?.();
    const heap = process.memoryUsage().heapUsed;
    const start = process.threadCpuUsage();
    use(thing);
    const spent = process.threadCpuUsage(start);
    microseconds += spent.user + spent.system;
    mb = Math.min(mb, Math.max(0, process.memoryUsage().heapUsed - heap) / 1e6);
  }
  return { ms: microseconds / rounds / 1000, mb };
}

let worst = 0;
let isOver = false;

function row(what: string, compiling: Measured, running: Measured | undefined, came: string): void {
  const shown = what.length > 60 ? `${what.slice(0, 57)}…` : what;
  const all = [compiling, ...(running ? [running] : [])];
  worst = Math.max(worst, ...all.map(({ ms }) => ms));
  isOver ||= all.some(({ ms, mb }) => ms > limitMs || mb > limitMb);
  const cell = (one: Measured | undefined): string => (one ? `${one.ms.toFixed(2)} | ${one.mb.toFixed(2)}` : '– | –');
  console.log(`| \`${shown.replaceAll('|', '\\|')}\` | ${cell(compiling)} | ${cell(running)} | ${came} |`);
}

function head(what: string): void {
  console.log(`\n| ${what} | compile, ms | MB | run, ms | MB | |\n|---|---|---|---|---|---|`);
}

function longestJudged(work: (length: number) => number): number {
  let length = 8192;
  while (length > 1 && work(length) === 0) length -= 1;
  return length;
}

if (globalThis.gc === undefined) throw new Error('run it with --expose-gc');

console.log('# The worst patterns and expressions\n');
console.log('`make bench-policy`; thread CPU time, the mean of 15 rounds, none may take 10 ms or 10 MB.');
head('pattern, on the longest text that it judges');
for (const [pattern, alphabet] of hostilePatterns) {
  const compiling = mean(
    () => pattern,
    (text) => compilePattern(text),
  );
  const compiled = compilePattern(pattern);
  if ('mistake' in compiled) {
    row(pattern, compiling, undefined, `refused: ${compiled.mistake.slice(0, 40).replaceAll('|', '\\|')}`);
    continue;
  }
  const length = longestJudged(compiled.work);
  const text = alphabet.repeat(length).slice(0, length);
  const running = mean(
    () => compilePattern(pattern),
    (one) => !('mistake' in one) && one.ok(text),
  );
  row(pattern, compiling, running, `${compiled.ok(text)}, ${length} characters`);
}

head('expression, for the largest person and request');
for (const expression of hostileExpressions) {
  const compiling = mean(
    () => expression,
    (text) => compileCel(text),
  );
  const compiled = compileCel(expression);
  if ('mistake' in compiled) {
    row(expression, compiling, undefined, `refused: ${compiled.mistake.slice(0, 40)}`);
    continue;
  }
  const running = mean(
    () => compileCel(expression),
    (one) => !('mistake' in one) && one.run(largest),
  );
  const meter = { left: maxSteps };
  const came = compiled.run(largest, meter);
  row(
    expression,
    compiling,
    running,
    `${typeof came === 'boolean' ? came : came.failed}, ${maxSteps - meter.left} steps`,
  );
}

/** Nanoseconds each, of many. */
function each(use: () => unknown): number {
  const times = 200_000;
  for (let warm = 0; warm < times / 10; warm += 1) use();
  const start = performance.now();
  for (let time = 0; time < times; time += 1) use();
  return ((performance.now() - start) / times) * 1e6;
}

console.log('\n| typical | ns |\n|---|---|');
const person = { ...largest, user: { ...largest.user, groups: ['eng', 'ops', 'oncall'] } };
const atAdmin = { ...person, request: { ...person.request, path: '/admin/users' } };
for (const expression of [
  'request.path.startsWith("/admin") && "ops" in user.groups',
  'user.groups.exists(g, g.startsWith("on"))',
  'now - session.authenticatedAt < duration("1h")',
  'now.getHours("Europe/Berlin") >= 9',
  'user.email.matches("^[a-z.]+@example[.]com$")',
]) {
  const compiled = compileCel(expression);
  if ('mistake' in compiled) throw new Error(compiled.mistake);
  console.log(`| \`${expression}\` | ${each(() => compiled.run(atAdmin)).toFixed(0)} |`);
}
for (const [pattern, text] of [
  ['[a-z.]+@example\\.com', 'ana.berg@example.com'],
  ['/api/v[0-9]+/.*', '/api/v1/users/1234/edit'],
  ['/api/v[0-9]+/.*', '/static/app.js'],
] as const) {
  const compiled = compilePattern(pattern);
  if ('mistake' in compiled) throw new Error(compiled.mistake);
  console.log(`| \`${pattern}\` on \`${text}\` | ${each(() => compiled.ok(text)).toFixed(0)} |`);
}
console.log(`\nThe slowest took ${worst.toFixed(1)} ms.`);
if (isOver) process.exitCode = 1;
