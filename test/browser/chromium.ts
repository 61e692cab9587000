// Starts the browser that a person would use: Chromium as the system installed it, driven by playwright-core.
import { access } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** Nothing that calls home, no second profile, no QUIC; root has no sandbox in Chromium. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts Chromium with a new profile. Names under .localhost need no flag: Chromium resolves them to the loopback, and
 * keeps `__Host-` cookies there over plain http. `backForwardCache`: keeps pages that were left, as browsers of people do;
 * playwright turns that off. @throws {Error} that says how to install it where it is missing.
 */
export async function startBrowser({ backForwardCache = false } = {}): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  try {
    await access(executablePath);
  } catch (cause) {
    const how = 'scripts/packages.sh chromium:chromium installs it on Debian; CHROMIUM names another one';
    throw new Error(`no Chromium at ${executablePath}: ${how}`, { cause });
  }
  const ignoreDefaultArgs = backForwardCache ? ['--disable-back-forward-cache'] : [];
  return chromium.launch({ executablePath, args: flags, ignoreDefaultArgs });
}
