#!/usr/bin/env node
// Takes the pictures of docs/modeling.md, docs/pictures/*.png: sections of the properties panel as tasks of the examples
// show them. docs/pictures/shown.json says what they show, so that check.mjs notices when that changes.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

import { inBrowser } from './browser.mjs';
import { PANELS, fingerprint } from '../panels.mjs';

const root = new URL('../../../', import.meta.url);
const page = new URL('panel.html', import.meta.url).href;
const template = JSON.parse(readFileSync(new URL('element-templates/salesforce-connector.json', root)));
const GROUP = '.bio-properties-panel-group[data-group-id^="group-ElementTemplates__CustomProperties"]';

/** The labels of a section's fields, and what the task holds. */
function read(group, id) {
  const task = modeler.get('elementRegistry').get(id);
  const extension = type => task.businessObject.get('extensionElements').get('values').find(({ $type }) => $type === type);
  return {
    labels: [ ...group.querySelectorAll('.bio-properties-panel-entry') ]
      .map(entry => entry.querySelector('.bio-properties-panel-label')?.textContent.trim() ?? ''),
    inputs: extension('zeebe:IoMapping').get('inputParameters').map(input => [ input.get('target'), input.get('source') ]),
    headers: extension('zeebe:TaskHeaders').get('values').map(header => [ header.get('key'), header.get('value') ])
  };
}

async function take(browser, { name, process, task, section }) {
  const tab = await browser.newPage();
  await tab.goto(page);
  const xml = readFileSync(new URL(`examples/${process}.bpmn`, root), 'utf-8');
  const problems = await tab.evaluate(([ xml, json, id ]) => show(xml, json, id), [ xml, template, task ]);
  if (problems.length) throw new Error(`${name}: ${problems.join('; ')}`);
  await tab.evaluate(id => select(id), task);
  const title = tab.locator('.bio-properties-panel-group-header-title').getByText(section, { exact: true });
  const group = tab.locator(GROUP).filter({ has: title });
  const header = group.locator('> .bio-properties-panel-group-header');
  await header.waitFor();
  if (!await group.locator('> .bio-properties-panel-group-header.open').count()) await header.click();
  await tab.mouse.move(0, 0);
  await tab.evaluate(() => document.activeElement?.blur());
  const shown = fingerprint(await group.evaluate(read, task));
  await group.screenshot({ path: new URL(`docs/pictures/${name}.png`, root).pathname, animations: 'disabled' });
  await tab.close();
  return shown;
}

await inBrowser({ width: 500, height: 900 }, async browser => {
  mkdirSync(new URL('docs/pictures', root), { recursive: true });
  const shown = {};
  for (const panel of PANELS) shown[panel.name] = await take(browser, panel);
  writeFileSync(new URL('docs/pictures/shown.json', root), `${JSON.stringify(shown, null, 2)}\n`);
  console.log(`docs/pictures: ${PANELS.length} pictures taken`);
});
