// Simulates a user in headless Chromium. Usage: node pages.mjs STORY < settings.json
// settings: {browser, pages, demo, production, pins, certificate: {path, passphrase}, revoked: {…}, login: {clinic, user, password}}
//   pages: the directory of screenshots · pins: SPKI hashes (base64 of SHA-256) of the only trusted keys
// Prints a JSON object with the results. If a step fails, it prints the page's text and exits with 1.
import {chromium} from 'playwright-core';
import {mkdirSync, readFileSync} from 'node:fs';
import {strict as assert} from 'node:assert';

const DESKTOP = {width: 1280, height: 900};
const PHONE = {width: 390, height: 844};
const story = process.argv[2];
const settings = JSON.parse(readFileSync(0, 'utf8'));
mkdirSync(settings.pages, {recursive: true});

const browser = await chromium.launch({
  executablePath: settings.browser,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    `--ignore-certificate-errors-spki-list=${settings.pins.join(',')}`],
});
let page;

async function open(viewport, options = {}) {
  const context = await browser.newContext({viewport, deviceScaleFactor: 1, hasTouch: viewport === PHONE, isMobile: viewport === PHONE, ...options});
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  page.problems = [];
  page.on('pageerror', error => page.problems.push(String(error)));
  // the console also reports a page that answers a form with 4xx on purpose
  page.on('console', message => { if (message.type() === 'error' && message.location().url !== page.url()) page.problems.push(message.text()); });
  return page;
}

/** Takes a screenshot and checks the page: no horizontal scrolling, no errors in the console, a title. */
async function look(name) {
  await page.screenshot({path: `${settings.pages}/${story}-${name}.png`, fullPage: true});
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${name} is ${overflow} px wider than the window`);
  assert.deepEqual(page.problems, [], `${name} has errors in the console`);
  assert.match(await page.title(), /\S · Clinic$/);
}

const stories = {
  /** A visitor creates a clinic, looks up a disease, prescribes despite an interaction, and sends an inquiry. */
  async visitor() {
    const seen = {};
    await open(DESKTOP);
    const answer = await page.goto(settings.demo);
    seen.robots = answer.headers()['x-robots-tag'];
    await page.getByText('This is a demo.').first().waitFor();
    await look('login');
    await page.getByRole('link', {name: 'Sign up for the demo'}).click();
    await page.getByLabel('Your name').fill('Sakura Tester');
    await page.getByLabel('E-mail').fill('sakura.tester@visitor.example');
    await page.getByLabel('Name of your clinic').fill('Sakura Clinic');
    await look('sign-up');
    await page.getByRole('button', {name: 'Create my clinic'}).click();
    await page.getByRole('heading', {name: 'Welcome, Sakura Tester'}).waitFor();
    await look('welcome');
    seen.clinic = (await page.locator('#clinic').textContent()).trim();
    seen.user = (await page.locator('#user').textContent()).trim();
    seen.password = (await page.locator('#password').textContent()).trim();
    const patient = (await page.locator('#suggested-patient').textContent()).trim();
    const drug = (await page.locator('#suggested-drug-code').textContent()).trim();

    await page.getByRole('link', {name: 'Go to the patients'}).click();
    seen.patients = await page.locator('tbody tr').count();
    assert.ok(seen.patients >= 5, 'a new clinic has patients');
    seen.banner = (await page.locator('.banner').textContent()).trim().replace(/\s+/g, ' ');
    await look('patients');
    await page.getByRole('link', {name: patient}).first().click();
    await look('patient');

    await page.getByRole('link', {name: 'New encounter'}).click();
    await page.getByLabel('Name, synonym or code').fill('hypertension');
    await page.getByRole('button', {name: 'Look up'}).click();
    const disease = page.locator('.choices label').first();
    await disease.waitFor();
    seen.disease = (await disease.textContent()).trim().replace(/\s+/g, ' ');
    await disease.click();
    await page.getByLabel('Note').fill('Seen in the browser test.');
    await look('encounter');
    await page.getByRole('button', {name: 'Save'}).click();

    await page.getByRole('link', {name: 'Prescribe'}).first().click();
    await page.getByLabel('Name, ingredient or code').fill(drug);
    await page.getByRole('button', {name: 'Look up'}).click();
    await page.locator('.choices label').first().click();
    await page.getByLabel('Days').fill('7');
    await page.getByRole('button', {name: 'Prescribe'}).click();
    const warning = page.getByRole('alert', {name: 'Interaction warning'});
    await warning.waitFor();
    seen.warning = (await warning.locator('li').first().textContent()).trim().replace(/\s+/g, ' ');
    await look('warning');
    await page.getByLabel('I have considered this').check();
    await page.getByRole('button', {name: 'Prescribe'}).click();
    await page.getByText('accepted interaction').first().waitFor();
    await look('prescribed');

    await page.getByRole('link', {name: 'Send an inquiry or book a meeting'}).click();
    await page.getByLabel('E-mail').fill('sakura.tester@visitor.example');
    await page.getByLabel('What would you like to know?').fill('Can it print labels?');
    await look('inquiry');
    await page.getByRole('button', {name: 'Send'}).click();
    await page.getByText('We have received your inquiry').waitFor();
    await look('inquired');
    await page.getByRole('button', {name: 'Log out'}).click();

    await page.getByLabel('Clinic').fill(seen.clinic);
    await page.getByLabel('User name').fill(seen.user);
    await page.getByLabel('Password').fill('not this one, surely');
    await page.getByRole('button', {name: 'Log in'}).click();
    await page.getByText('Accounts of the product do not work here').waitFor();
    await look('refused');
    await page.getByLabel('Password').fill(seen.password);
    await page.getByRole('button', {name: 'Log in'}).click();
    await page.getByRole('heading', {name: 'Patients'}).waitFor();
    return seen;
  },

  /** A visitor signs up and prescribes on a phone. */
  async phone() {
    await open(PHONE);
    await page.goto(settings.demo);
    await look('login');
    await page.goto(new URL('/signup', settings.demo).href);
    await page.getByLabel('Your name').fill('Kaede Phone');
    await page.getByLabel('E-mail').fill('kaede.phone@visitor.example');
    await page.getByLabel('Name of your clinic').fill('Kaede Clinic');
    await page.getByLabel('Password').fill('a password of mine');
    await look('sign-up');
    await page.getByRole('button', {name: 'Create my clinic'}).click();
    await page.getByRole('heading', {name: 'Welcome, Kaede Phone'}).waitFor();
    await look('welcome');
    const drug = (await page.locator('#suggested-drug-code').textContent()).trim();
    const patient = (await page.locator('#suggested-patient').textContent()).trim();
    await page.getByRole('link', {name: 'Go to the patients'}).click();
    await look('patients');
    await page.getByRole('link', {name: patient}).first().click();
    await look('patient');
    await page.getByRole('link', {name: 'Prescribe'}).first().click();
    await page.getByLabel('Name, ingredient or code').fill(drug);
    await page.getByRole('button', {name: 'Look up'}).click();
    await page.locator('.choices label').first().click();
    await page.getByLabel('Days').fill('7');
    await page.getByRole('button', {name: 'Prescribe'}).click();
    await page.getByRole('alert', {name: 'Interaction warning'}).waitFor();
    await look('warning');
    await page.goto(new URL('/inquiry', settings.demo).href);
    await look('inquiry');
    return {patient, drug};
  },

  /** Production shows no page without a certificate or with a revoked one. */
  async production() {
    const seen = {};
    const origin = new URL(settings.production).origin;
    const certificate = it => ({clientCertificates: [{origin, pfxPath: it.path, passphrase: it.passphrase}], ignoreHTTPSErrors: true});
    for (const [name, options] of [['stranger', {}], ['revoked', certificate(settings.revoked)]]) {
      await open(DESKTOP, options);
      const answer = await page.goto(settings.production);
      seen[name] = {status: answer.status(), text: (await page.locator('body').innerText()).trim().replace(/\s+/g, ' ')};
      await page.screenshot({path: `${settings.pages}/production-${name}.png`, fullPage: true});
      assert.equal(await page.getByLabel('Password').count(), 0, `${name} sees the login page`);
    }
    for (const [device, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
      await open(viewport, certificate(settings.certificate));
      await page.goto(settings.production);
      assert.equal(await page.getByText('This is a demo').count(), 0);
      assert.equal(await page.getByText('inquiry').count(), 0);
      await look(`${device}-login`);
      await page.getByLabel('Clinic').fill(settings.login.clinic);
      await page.getByLabel('User name').fill(settings.login.user);
      await page.getByLabel('Password').fill(settings.login.password);
      await page.getByRole('button', {name: 'Log in'}).click();
      await page.getByRole('heading', {name: 'Patients'}).waitFor();
      seen.footer = (await page.locator('footer').innerText()).trim();
      await look(`${device}-patients`);
    }
    return seen;
  },
};

let status = 0;
try {
  if (!stories[story]) throw new Error(`no story ${story}; there are ${Object.keys(stories).join(', ')}`);
  console.log(JSON.stringify(await stories[story]()));
} catch (error) {
  status = 1;
  console.error(error.stack ?? error);
  if (page) {
    await page.screenshot({path: `${settings.pages}/${story}-failed.png`, fullPage: true}).catch(() => {});
    console.error(`at ${page.url()}:\n${await page.locator('body').innerText().catch(() => '(no page)')}`);
  }
} finally {
  await browser.close();
}
process.exit(status);
