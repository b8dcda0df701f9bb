#!/usr/bin/env node
// Opens the properties panel in a browser for every operation, and checks what a modeler sees:
// the order of the sections, no section without a field, no field without a label, and no complaint but that
// a field must be filled. Says how long the panel takes to open.
//
//   node look.mjs [FOLDER]    also saves a picture of each panel in FOLDER

import { mkdirSync, readFileSync } from 'node:fs';

import { inBrowser } from './browser.mjs';

const template = JSON.parse(readFileSync(new URL('../../../element-templates/salesforce-connector.json', import.meta.url)));
const page = new URL('panel.html', import.meta.url).href;
const pictures = process.argv[2];

const DIAGRAM = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
  id="definitions" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="process" isExecutable="true"><bpmn:task id="task" name="Talk to Salesforce" /></bpmn:process>
  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="process">
    <bpmndi:BPMNShape id="shape" bpmnElement="task"><dc:Bounds x="160" y="80" width="100" height="80" /></bpmndi:BPMNShape>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>`;

const choices = id => template.properties.find(property => property.id === id).choices.map(choice => choice.value);

/** The views that are looked at: name, and what is chosen or entered, in this order. */
const views = [
  [ 'first-sight', [] ],
  ...choices('operation').map(operation => [ operation, [ [ 'operation', operation ], [ 'resultVariable', 'result' ] ] ]),
  ...choices('connection').slice(1).map(way => [ `way-${way}`, [ [ 'connection', way ], [ 'operation', 'getRecord' ], [ 'bpmnErrors', 'codes' ] ] ]),
  [ 'business-errors', [ [ 'operation', 'getRecord' ], [ 'bpmnErrors', 'business' ] ] ],
  [ 'error-expression', [ [ 'operation', 'getRecord' ], [ 'bpmnErrors', 'expression' ] ] ]
];

const GROUPS = '[data-group-id^="group-ElementTemplates__CustomProperties"]';

/** What the panel shows: the template's sections with the labels of their fields. */
function sections(groups) {
  return [ ...document.querySelectorAll(groups) ].map(group => ({
    title: group.querySelector('.bio-properties-panel-group-header-title').textContent.trim(),
    labels: [ ...group.querySelectorAll('.bio-properties-panel-entry') ]
      .map(entry => entry.querySelector('.bio-properties-panel-label')?.textContent.trim() ?? ''),
    complaints: [ ...group.querySelectorAll('.bio-properties-panel-error') ].map(error => error.textContent.trim())
  }));
}

function check(name, shown) {
  const order = template.groups.map(group => group.label);
  const places = shown.map(({ title }) => order.indexOf(title));
  const wrong = places.some((place, index) => place < 0 || place <= places[index - 1]);
  if (wrong) throw new Error(`${name}: the sections are ${shown.map(({ title }) => title).join(', ')}`);
  for (const { title, labels, complaints } of shown) {
    const other = complaints.find(text => !text.endsWith('must not be empty.'));
    if (other) throw new Error(`${name}: an untouched field says "${other}"`);
    if (!labels.length || labels.includes('')) throw new Error(`${name}: "${title}" is empty or has a field without a label`);
  }
}

async function openAll(tab) {
  const closed = tab.locator(`${GROUPS} > .bio-properties-panel-group-header:not(.open)`);
  while (await closed.count()) await closed.first().click();
}

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

/** Selects the task, and says how many milliseconds it takes until its sections are drawn. */
const opened = groups => new Promise(done => {
  const begun = performance.now();
  const look = () => document.querySelector(groups)
    ? requestAnimationFrame(() => done(performance.now() - begun))
    : requestAnimationFrame(look);
  select();
  look();
});

const times = [];

async function look(browser, name, chosen) {
  const tab = await browser.newPage();
  const problems = [];
  tab.on('pageerror', error => problems.push(error.message));
  await tab.goto(page);
  problems.push(...await tab.evaluate(([ xml, json ]) => show(xml, json), [ DIAGRAM, template ]));
  await tab.locator('.bio-properties-panel-group').first().waitFor();
  times.push(await tab.evaluate(opened, GROUPS));
  for (const [ id, value ] of chosen) {
    await openAll(tab);
    await choose(tab, id, value);
  }
  await openAll(tab);
  const shown = await tab.evaluate(sections, GROUPS);
  check(name, shown);
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
