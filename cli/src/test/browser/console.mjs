// Watches the console page in headless Chromium while a sync runs, fails and is rolled back. Usage: node console.mjs < settings.json
// settings: {browser, pages, name, url} · pages: the directory of screenshots · name: their prefix · url: a console that shows these states in turn
// Prints a line for each state when it was seen: open, running, failed, rolled-back
import {chromium} from 'playwright-core';
import {mkdirSync, readFileSync} from 'node:fs';
import {strict as assert} from 'node:assert';

const settings = JSON.parse(readFileSync(0, 'utf8'));
mkdirSync(settings.pages, {recursive: true});
const browser = await chromium.launch({executablePath: settings.browser, args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']});
let page;
try {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}});
  context.setDefaultTimeout(60_000);
  page = await context.newPage();
  const problems = [];
  page.on('pageerror', error => problems.push(String(error)));
  page.on('console', message => { if (message.type() === 'error') problems.push(message.text()); });

  /** Checks on desktop and phone, in light and dark mode, that nothing is wider than the window. */
  async function look(name) {
    for (const [device, width, height] of [['desktop', 1280, 900], ['phone', 390, 844]])
      for (const colorScheme of ['light', 'dark']) {
        await page.setViewportSize({width, height});
        await page.emulateMedia({colorScheme});
        await page.screenshot({path: `${settings.pages}/console-${settings.name}-${name}-${device}-${colorScheme}.png`, fullPage: true});
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(overflow <= 0, `${name} is ${overflow} px wider than a ${device}`);
      }
    await page.setViewportSize({width: 1280, height: 900});
    assert.deepEqual(problems, [], `${name} has errors in the console`);
    console.log(name);
  }

  await page.goto(settings.url);
  console.log('open');
  await page.getByRole('heading', {name: 'Running now'}).waitFor();
  await look('running');
  // from here on the page refreshes itself and is never reloaded
  await page.getByText('failed in Publish with MergeConflict').first().waitFor();
  assert.ok(await page.locator('.lane.failed .cause').first().isVisible(), 'the cause is shown');
  await look('failed');
  await page.locator('details').first().locator('summary').first().click();
  const opened = await page.locator('details').first().getAttribute('id');
  await page.getByText('rolled back and verified').first().waitFor();
  assert.notEqual(await page.locator(`#${opened}`).getAttribute('open'), null, 'what was open stays open');
  assert.ok(await page.locator('.history rect.column').count() > 1, 'the history is drawn');
  await look('rolled-back');
} catch (error) {
  process.exitCode = 1;
  console.error(error.stack ?? error);
  if (page) console.error(await page.locator('body').innerText().catch(() => '(no page)'));
} finally {
  await browser.close();
}
