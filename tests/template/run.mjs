// The checks; started by check.mjs, which bundles them.

import { readFileSync, writeFileSync } from 'node:fs';
import { validateZeebe } from '@bpmn-io/element-templates-validator';

import { assertSearchEntriesWork, assertSwitchesAreClean, cases } from './applied.mjs';
import { checkCredential } from './credential.mjs';
import { examples } from './examples.mjs';
import { panels, recipes } from './recipes.mjs';

const TEMPLATE = 'element-templates/salesforce-connector.json';
const WITH_CREDENTIALS = 'element-templates/salesforce-connector-8.10.json';
const APPLIED = 'tests/template/applied.json';
const MAX_FIELDS = 20;

/** One case a paragraph, one value a line. */
function write(cases) {
  const { stringify } = JSON;
  const object = value => `{${Object.entries(value).map(([ key, text ]) => `\n      ${stringify(key)}: ${stringify(text)}`).join(',')}\n    }`;
  const one = ({ inputs, headers, fields, ...rest }) => {
    const head = Object.entries(rest).map(([ key, value ]) => `${stringify(key)}: ${stringify(value)}`).join(', ');
    return `  { ${head},\n    "inputs": ${object(inputs)},\n    "headers": ${object(headers)} }`;
  };
  return `[\n${cases.map(one).join(',\n')}\n]\n`;
}

function validate(text, path = TEMPLATE) {
  const { valid, errors } = validateZeebe(text);
  if (!valid) {
    const say = ({ message, dataPath, dataPointer }) => `${dataPath} (line ${dataPointer?.value?.line + 1}): ${message}`;
    throw new Error(`${path} is not a valid template:\n${errors.map(say).join('\n')}`);
  }
}

export async function run({ root, update }) {
  const text = readFileSync(`${root}/${TEMPLATE}`, 'utf-8');
  validate(text);
  const template = JSON.parse(text);
  console.log(`${TEMPLATE}: valid`);

  const applied = await cases(template);
  for (const operation of new Set(applied.map(({ operation }) => operation))) {
    const counts = applied.filter(one => one.operation === operation).map(({ fields }) => fields);
    console.log(`${operation}: ${Math.min(...counts)} to ${Math.max(...counts)} fields shown`);
  }
  // As first opened; the codes of BPMN errors add one field for those who ask for it.
  for (const { operation, fields } of applied.filter(({ filled }) => !filled)) {
    if (fields > MAX_FIELDS) throw new Error(`${operation} shows ${fields} fields, more than ${MAX_FIELDS}`);
  }
  const switches = await assertSwitchesAreClean(template);
  await assertSearchEntriesWork(template);
  console.log(`${applied.length} combinations and ${switches} changes of mind: nothing missing, nothing left over`);

  const withCredentials = readFileSync(`${root}/${WITH_CREDENTIALS}`, 'utf-8');
  validate(withCredentials, WITH_CREDENTIALS);
  const ways = await checkCredential(JSON.parse(withCredentials), applied);
  console.log(`${WITH_CREDENTIALS}: valid, and its credential holds what ${ways} ways to sign in need`);

  if (update) {
    writeFileSync(`${root}/${APPLIED}`, write(applied));
  } else if (readFileSync(`${root}/${APPLIED}`, 'utf-8') !== write(applied)) {
    throw new Error(`${APPLIED} is not what the template gives; refresh it with: node check.mjs --update`);
  }
  const count = await examples(`${root}/examples`, template, { update });
  console.log(`${count} examples: ${update ? 'written' : 'up to date'}`);
  const pages = await recipes(root, template, { update });
  console.log(`${pages} recipes: ${update ? 'written' : 'up to date, with their pictures'}`);
  if (!update) console.log(`${await panels(root, template)} pictures of the panel: up to date`);
  console.log(`${APPLIED}: ${update ? 'written' : 'up to date'}`);
}
