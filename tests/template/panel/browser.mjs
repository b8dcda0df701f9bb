// A browser without a window. CHROMIUM names it; without that, /usr/bin/chromium is used.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { chromium } from 'playwright-core';

/** Does some work in a browser; a failure of it is told, and is the failure of the program. */
export async function inBrowser(viewport, work) {
  const profile = mkdtempSync(`${tmpdir()}/panel-`);
  const browser = await chromium.launchPersistentContext(profile, {
    viewport,
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [ '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync' ]
  });
  try {
    await work(browser);
  } catch (error) {
    console.error(`check failed: ${error.message}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
