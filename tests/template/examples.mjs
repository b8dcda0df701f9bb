// The Salesforce tasks of the examples are exactly what the template gives for their values.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

import { assertClean } from './applied.mjs';
import { apply, open } from './modeler.mjs';

async function refreshed(xml, template) {
  const modeler = await open(xml, template);
  const isOurs = element => element.businessObject.get('zeebe:modelerTemplate') === template.id;
  const tasks = modeler.get('elementRegistry').filter(element => element.type !== 'label' && isOurs(element));
  if (!tasks.length) {
    throw new Error('it has no task with the template');
  }
  for (const task of tasks) {
    assertClean(apply(modeler, task.id, template), template, { sources: true });
  }
  return (await modeler.saveXML({ format: true })).xml;
}

/** Checks each example, or writes it anew; gives the number of examples. */
export async function examples(folder, template, { update }) {
  const names = readdirSync(folder).filter(name => name.endsWith('.bpmn'));
  for (const name of names) {
    const path = `${folder}/${name}`;
    const xml = readFileSync(path, 'utf-8');
    try {
      const fresh = await refreshed(xml, template);
      if (update) {
        writeFileSync(path, fresh);
      } else if (xml !== fresh) {
        throw new Error('it is not what the template gives; refresh it with: node check.mjs --update');
      }
    } catch (error) {
      throw new Error(`examples/${name}: ${error.message}`);
    }
  }
  return names.length;
}
