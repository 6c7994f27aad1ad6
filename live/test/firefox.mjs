// What the page does in Firefox, as JSON: node test/firefox.mjs FIREFOX ADDRESS [PICTURE]
// Firefox is driven by the standard WebDriver BiDi; tests/test_live_page.py compares the answers with torch's.
import puppeteer from 'puppeteer-core';

const [executablePath, address, picture] = process.argv.slice(2);
// Nothing that the browser would ask for by itself, so that what is asked for is the page's.
const extraPrefsFirefox = {
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'ui.prefersReducedMotion': 1,
};
const browser = await puppeteer.launch({browser: 'firefox', executablePath, extraPrefsFirefox, timeout: 120_000});
const page = await browser.newPage();
page.setDefaultTimeout(120_000);
await page.setViewport({width: 1366, height: 768});
const faults = [], asked = [];
page.on('console', message => ['error', 'warn'].includes(message.type()) && faults.push(message.text()));
page.on('pageerror', error => faults.push(String(error)));
page.on('request', request => asked.push(request.url()));

const shown = () => page.evaluate(async () => {
  const view = await poseformer;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return {state: view.state.values, pose: [...view.kept.result.pose],
          error: document.querySelector('#error').textContent};
});

await page.goto(address);
await page.waitForSelector('#explore:not([hidden])');
const plain = await shown();

const [x, y] = await page.evaluate(async () => {
  const view = await poseformer, {left, top} = document.querySelector('#flat').getBoundingClientRect();
  const [x, y] = view.flat.points[13];
  return [left + x, top + y];
});
await page.mouse.move(x, y);
await page.mouse.down();
await page.mouse.move(x + 40, y - 30, {steps: 3});
await page.mouse.up();
const dragged = await shown();

const results = {};
const stages = await page.$$eval('[data-stage]', all => all.map(one => one.dataset.stage));
for (const stage of [...stages, 'spatial']) {
  await page.locator(`button[data-stage=${stage}]`).click();
  await shown();
  results[stage] = await page.$eval('#numbers .result', one => one.textContent);
}
await page.locator('[role=switch][aria-label^="spatial layer 1 head 0"]').click();
const switched = await shown();
const speed = await page.$eval('#speed-said', one => one.textContent);
if (picture) await page.screenshot({path: picture});

const version = await browser.version();
await browser.close();
console.log(JSON.stringify({version, plain, dragged, switched, results, speed, faults, asked}));
