// What the Live view does with a film in Firefox, as JSON: node test/firefox-live.mjs FIREFOX ADDRESS FILM [PICTURE]
// tests/test_live_camera.py looks at the answers.
import { readFileSync } from 'node:fs';

import puppeteer from 'puppeteer-core';

const [executablePath, address, film, picture] = process.argv.slice(2);
const extraPrefsFirefox = {'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false};
const browser = await puppeteer.launch({browser: 'firefox', executablePath, extraPrefsFirefox, timeout: 120_000});
const page = await browser.newPage();
page.setDefaultTimeout(120_000);
await page.setViewport({width: 1366, height: 768});
const faults = [], asked = [];
page.on('console', message => ['error', 'warn'].includes(message.type()) && faults.push(message.text()));
page.on('pageerror', error => faults.push(String(error)));
page.on('request', request => asked.push(request.url()));

await page.goto(address);
await page.evaluate(async () => { window.live = await poseformerLive; });
await page.evaluate((base64, name) => {
  const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0)), files = new DataTransfer();
  files.items.add(new File([bytes], name));
  for (const kind of ['dragover', 'drop']) {
    document.querySelector('.wants').dispatchEvent(new DragEvent(kind, {dataTransfer: files, bubbles: true, cancelable: true}));
  }
}, readFileSync(film).toString('base64'), film.split('/').at(-1));

// the figure at three moments, each of a frame of its own
const seen = [];
for (let waited = 0; seen.length < 3 && waited < 120_000; waited += 100) {
  const now = await page.evaluate(() => live.lifted.length ? {seconds: live.shown.seconds, pose: [...live.lifted[0].pose]} : null);
  if (now && now.seconds !== seen.at(-1)?.seconds) seen.push(now);
  await new Promise(done => setTimeout(done, 100));
}
const said = await page.$eval('.said', one => one.textContent);
const drawn = await page.evaluate(() => Object.fromEntries(['flat', 'solid', 'spatial', 'temporal'].map(name => {
  const canvas = document.querySelector(`.${name}`);
  return [name, canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(value => value)];
})));
if (picture) await page.screenshot({path: picture});
await browser.close();
console.log(JSON.stringify({seen, said, drawn, faults, asked}));
