// The pages of the recipes: what they tell of a task is what the diagram has, and their picture shows that diagram. And the
// pictures of the properties panel: they show what the panel shows.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

import { drawing } from './drawing.mjs';
import { active, apply, contents, open, valueOf } from './modeler.mjs';
import { PANELS, fingerprint } from './panels.mjs';

const BEGIN = '<!-- What the tasks hold, written by scripts/check-template.sh --update -->\n';
const END = '<!-- The end of what the tasks hold -->\n';

const choiceOf = ({ choices }, value) => choices.find(choice => choice.value === value)?.name ?? value;

/** The fields in which something was entered or chosen: label and value. */
function entered(task, template) {
  const shown = active(task, template).filter(({ type }) => type !== 'Hidden');
  return shown.flatMap(property => {
    const value = valueOf(task, property);
    const untouched = property.id !== 'operation' && value === (typeof property.value === 'boolean' ? `=${property.value}` : property.value);
    if (!value || untouched) return [];
    return [ [ property.label, property.choices ? choiceOf(property, value) : value ] ];
  });
}

/** What a task holds: short values in a table, long ones below it. */
function described(task, template) {
  const fields = entered(task, template);
  const isShort = ([ , value ]) => !value.includes('\n');
  const isChoice = new Set(template.properties.filter(({ choices }) => choices).map(({ label }) => label));
  const cell = ([ label, value ]) => isChoice.has(label) ? value : `\`${value.replaceAll('|', '\\|')}\``;
  const rows = fields.filter(isShort).map(field => `| ${field[0]} | ${cell(field)} |\n`);
  const blocks = fields.filter(field => !isShort(field)).map(([ label, value ]) => `\n${label}:\n\n\`\`\`\n${value}\n\`\`\`\n`);
  return `### ${task.businessObject.name}\n\n| Field | Value |\n|---|---|\n${rows.join('')}${blocks.join('')}`;
}

function checkPicture(svg, modeler, page, name) {
  if (!page.includes(`](${name}.svg)`)) throw new Error('it does not show its picture');
  const elementRegistry = modeler.get('elementRegistry');
  const hash = createHash('sha256').update(drawing(elementRegistry)).digest('hex');
  if (!svg.includes(`data-drawing="${hash}"`)) {
    throw new Error(`${name}.svg is not a picture of examples/${name}.bpmn; draw it anew: cd tests/template/panel && node diagrams.mjs`);
  }
  const missing = elementRegistry.filter(({ parent, id }) => parent && !svg.includes(`data-element-id="${id}"`));
  if (missing.length) throw new Error(`${name}.svg lacks ${missing[0].id}`);
}

/** Checks each page, or writes what it tells of the tasks anew; gives the number of pages. */
export async function recipes(root, template, { update }) {
  const folder = `${root}/docs/recipes`;
  const names = readdirSync(folder).filter(file => file.endsWith('.md')).map(file => file.slice(0, -3));
  for (const name of names) {
    try {
      const path = `${folder}/${name}.md`;
      const page = readFileSync(path, 'utf-8');
      const modeler = await open(readFileSync(`${root}/examples/${name}.bpmn`, 'utf-8'), template);
      const isOurs = ({ type, businessObject }) => type === 'bpmn:ServiceTask' && businessObject.get('zeebe:modelerTemplate') === template.id;
      const tasks = modeler.get('elementRegistry').filter(isOurs);
      const [ head, rest, ...more ] = page.split(BEGIN);
      const [ , tail ] = (rest ?? '').split(END);
      if (tail === undefined || more.length) throw new Error('it has no place for what the tasks hold');
      const fresh = `${head}${BEGIN}\n${tasks.map(task => described(task, template)).join('\n')}\n${END}${tail}`;
      if (update) {
        writeFileSync(path, fresh);
      } else if (page !== fresh) {
        throw new Error('it does not tell what the tasks hold; refresh it with: node check.mjs --update');
      }
      checkPicture(readFileSync(`${folder}/${name}.svg`, 'utf-8'), modeler, page, name);
    } catch (error) {
      throw new Error(`docs/recipes/${name}.md: ${error.message}`);
    }
  }
  return names.length;
}

/** Checks that the pictures of the properties panel show what it shows now; gives their number. */
export async function panels(root, template) {
  const shown = JSON.parse(readFileSync(`${root}/docs/pictures/shown.json`, 'utf-8'));
  for (const { name, process, task, section } of PANELS) {
    const modeler = await open(readFileSync(`${root}/examples/${process}.bpmn`, 'utf-8'), template);
    const element = apply(modeler, task, template);
    const { id } = template.groups.find(({ label }) => label === section);
    const fields = active(element, template).filter(({ type, group }) => type !== 'Hidden' && group === id);
    const now = fingerprint({ labels: fields.map(({ label }) => label), ...contents(element) });
    if (shown[name] !== now) {
      throw new Error(`docs/pictures/${name}.png is not what the panel shows; take it anew: cd tests/template/panel && node pictures.mjs`);
    }
  }
  return PANELS.length;
}
