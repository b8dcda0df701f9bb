#!/usr/bin/env node
// Opens the properties panel in a browser for every operation, and checks what a modeler sees:
// the order of the sections, no section without a field, no field without a label, and no complaint but that
// a field must be filled. Says how long the panel takes to open.
//
//   node look.mjs [FOLDER]    also saves a picture of each panel in FOLDER

import { mkdirSync, readFileSync } from 'node:fs';

import { inBrowser } from './browser.mjs';
import { GROUPS, check, openAll, opened, sections, show } from './shown.mjs';

const template = JSON.parse(readFileSync(new URL('../../../element-templates/salesforce-connector.json', import.meta.url)));
const pictures = process.argv[2];

const choices = id => template.properties.find(property => property.id === id).choices.map(choice => choice.value);

/** The views that are looked at: name, and what is chosen or entered, in this order. */
const views = [
  [ 'first-sight', [] ],
  ...choices('operation').map(operation => [ operation, [ [ 'operation', operation ], [ 'resultVariable', 'result' ] ] ]),
  ...choices('connection').slice(1).map(way => [ `way-${way}`, [ [ 'connection', way ], [ 'operation', 'getRecord' ], [ 'bpmnErrors', 'codes' ] ] ]),
  [ 'business-errors', [ [ 'operation', 'getRecord' ], [ 'bpmnErrors', 'business' ] ] ],
  [ 'error-expression', [ [ 'operation', 'getRecord' ], [ 'bpmnErrors', 'expression' ] ] ]
];

async function choose(tab, id, value) {
  const { label } = template.properties.find(property => property.id === id);
  const entry = tab.locator(`${GROUPS} .bio-properties-panel-entry`).filter({ has: tab.getByText(label, { exact: true }) });
  const isList = await entry.locator('select').count();
  const field = entry.locator(isList ? 'select' : 'input');
  // What stands there already changes nothing, so the panel would not draw itself anew.
  if (await field.inputValue() === value) return;
  // The panel hands over what is typed a moment later, and then draws itself anew.
  const drawn = tab.evaluate(() => new Promise(done => {
    modeler.get('eventBus').once('elements.changed', () => requestAnimationFrame(() => requestAnimationFrame(done)));
  }));
  await (isList ? field.selectOption(value) : field.fill(value));
  await drawn;
}

const times = [];

async function look(browser, name, chosen) {
  const { tab, problems } = await show(browser, template);
  times.push(await tab.evaluate(opened, GROUPS));
  for (const [ id, value ] of chosen) {
    await openAll(tab);
    await choose(tab, id, value);
  }
  await openAll(tab);
  const shown = await tab.evaluate(sections, GROUPS);
  check(name, template, shown);
  console.log(`${name}\n${shown.map(({ title, labels }) => `  ${title}: ${labels.join(', ')}`).join('\n')}`);
  if (pictures) await tab.locator('#panel').screenshot({ path: `${pictures}/${name}.png` });
  if (problems.length) throw new Error(`${name}: ${problems.join('; ')}`);
  await tab.close();
}

if (pictures) mkdirSync(pictures, { recursive: true });
await inBrowser({ width: 500, height: 900 }, async browser => {
  for (const [ name, chosen ] of views) await look(browser, name, chosen);
  times.sort((one, other) => one - other);
  const told = [ times[times.length >> 1], times.at(-1) ].map(time => `${Math.round(time)} ms`);
  console.log(`The panel opened ${times.length} times, in ${told[0]} (median) to ${told[1]} (longest).`);
});
