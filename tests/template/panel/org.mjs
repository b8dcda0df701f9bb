#!/usr/bin/env node
// Opens the properties panel in a browser for every template that is made from an org, and checks what a modeler sees. Then it
// measures how long the biggest one takes to open beside the general template: twice as long at most.
//
//   node org.mjs [FOLDER]    also saves a picture of each panel in FOLDER
//
// Needs the program, see ../org.mjs.

import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { generate } from '../generate.mjs';
import { inBrowser } from './browser.mjs';
import { GROUPS, check, openAll, opened, sections, show } from './shown.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const general = JSON.parse(readFileSync(`${root}/element-templates/salesforce-connector.json`));
const pictures = process.argv[2];

// So often each of the two is opened, in turns.
const ROUNDS = 15;
// A machine that does something else meanwhile gets another chance.
const TRIES = 3;
// How long an editor may take to read an expression, in milliseconds.
const PATIENCE = 10_000;
const MOST = 2;

/** How long the panel takes to open, in milliseconds. */
async function time(browser, template) {
  const { tab } = await show(browser, template);
  const time = await tab.evaluate(opened, GROUPS);
  await tab.close();
  return time;
}

const median = times => times.sort((one, other) => one - other)[times.length >> 1];

/** What the panel shows once its editors have read what stands in them: until then they call a long expression unparsable. */
async function settled(tab) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const shown = await tab.evaluate(sections, GROUPS);
    const reads = shown.some(({ complaints }) => complaints.some(text => text.includes('Unparsable')));
    if (!reads || Date.now() > until) return shown;
    await tab.waitForTimeout(100);
  }
}

async function look(browser, name, template) {
  const { tab, problems } = await show(browser, template);
  await tab.evaluate(opened, GROUPS);
  await openAll(tab);
  const shown = await settled(tab);
  check(name, template, shown);
  const record = shown.find(({ title }) => title === 'Record');
  const twice = record.labels.filter((label, place) => record.labels.indexOf(label) !== place);
  if (twice.length) throw new Error(`${name}: several fields are called ${twice.join(', ')}`);
  const expected = template.properties.filter(({ group, condition }) => group === 'record' && !condition);
  if (record.labels.length < expected.length) throw new Error(`${name} shows ${record.labels.length} of ${expected.length} fields`);
  console.log(`${name}: ${record.labels.length} fields of the record`);
  if (pictures) await tab.locator('#panel').screenshot({ path: `${pictures}/${name.replace('/', '-')}.png` });
  if (problems.length) throw new Error(`${name}: ${problems.join('; ')}`);
  await tab.close();
}

/** How many times as long as the general template this one takes to open. */
async function compare(browser, { name, template }) {
  const [ own, others ] = [ [], [] ];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await time(browser, template));
    others.push(await time(browser, general));
  }
  const [ ours, theirs ] = [ median(own), median(others) ];
  console.log(`${name} opens in ${Math.round(ours)} ms, the general template in ${Math.round(theirs)} ms (medians of ${ROUNDS}): ` +
    `${(ours / theirs).toFixed(2)} times, at most ${MOST}`);
  return ours / theirs;
}

const templates = (await generate(root)).map(({ name, text }) => ({ name, template: JSON.parse(text), size: text.length }));
if (pictures) mkdirSync(pictures, { recursive: true });
await inBrowser({ width: 500, height: 900 }, async browser => {
  for (const { name, template } of templates) await look(browser, name, template);
  const ofPersons = templates.filter(({ name }) => name.startsWith('person-accounts/'));
  const [ biggest ] = ofPersons.sort((one, other) => other.size - one.size);
  let ratio = Infinity;
  for (let tried = 0; tried < TRIES && ratio > MOST; tried++) ratio = await compare(browser, biggest);
  if (ratio > MOST) throw new Error('the biggest template takes too long to open');
});
