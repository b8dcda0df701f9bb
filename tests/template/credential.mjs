// The template for Camunda 8.10: its reusable credential is valid, can be chosen, and holds what inline fields would.

import { validateZeebeConfiguration } from '@bpmn-io/element-templates-validator';

import { assertClean } from './applied.mjs';
import { EMPTY, apply, contents, open, setValue } from './modeler.mjs';

const ENGINE = '8.10.0';
const AUTHENTICATION = 'salesforceRequest.connection.authentication';
const REFERENCE = '=camunda.vars.env.salesforce';

const find = (template, id) => template.properties.find(property => property.id === id);

function isActive({ condition }, way) {
  return !condition || (condition.oneOf ?? [ condition.equals ]).includes(way);
}

/** The fields of a credential for this way are the inputs that the inline fields write. */
function assertSameFields(credential, { authentication, inputs }) {
  const prefix = `${AUTHENTICATION}.`;
  const inline = Object.keys(inputs).filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length));
  const fields = credential.properties.filter(property => isActive(property, authentication)).map(({ binding }) => binding.name);
  if (fields.sort().join() !== inline.sort().join()) {
    throw new Error(`a credential for ${authentication} holds ${fields}, and inline fields ${inline}`);
  }
}

/** Checks the template with credentials against what the general one was applied to; gives the number of ways to sign in. */
export async function checkCredential(template, applied) {
  const [ credential ] = template.configurationTemplates;
  const { valid, errors } = validateZeebeConfiguration(JSON.stringify(credential));
  if (!valid) throw new Error(`the credential is not valid: ${errors.map(({ message }) => message).join('; ')}`);

  const modeler = await open(EMPTY, template, ENGINE);
  const element = apply(modeler, 'task', template);
  setValue(modeler, element, find(template, 'operation'), 'getUserInfo');
  setValue(modeler, element, find(template, 'connection'), 'credential');
  setValue(modeler, element, find(template, 'connection.loginUrl'), 'https://acme.my.salesforce.com');
  setValue(modeler, element, find(template, 'connection.credential'), REFERENCE);
  assertClean(element, template, { sources: false });
  const inputs = Object.fromEntries(contents(element).inputs);
  const parts = Object.keys(inputs).filter(name => name.startsWith(AUTHENTICATION));
  if (inputs[AUTHENTICATION] !== REFERENCE || parts.length !== 1) {
    throw new Error(`with a credential, the inputs are ${JSON.stringify(inputs)}`);
  }

  const ways = applied.filter(({ authentication, filled }) => authentication && filled);
  for (const way of ways) assertSameFields(credential, way);
  return ways.length;
}
