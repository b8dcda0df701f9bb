// Fills the template for every operation and every way to connect, and says what the task then holds.

import { EMPTY, active, apply, contents, open, setValue, valueOf } from './modeler.mjs';

// What is entered in a field, by the binding's last name. A new field of an operation needs a line here.
const ENTRIES = {
  name: 'dev',
  baseUrl: 'https://acme.my.salesforce.com',
  apiVersion: 'v66.0',
  token: '{{secrets.SALESFORCE_TOKEN}}',
  clientId: '{{secrets.SALESFORCE_CLIENT_ID}}',
  clientSecret: '{{secrets.SALESFORCE_CLIENT_SECRET}}',
  username: 'integration@acme.com',
  privateKey: '{{secrets.SALESFORCE_PRIVATE_KEY}}',
  audience: 'https://login.salesforce.com',
  refreshToken: '{{secrets.SALESFORCE_REFRESH_TOKEN}}',
  password: '{{secrets.SALESFORCE_PASSWORD}}{{secrets.SALESFORCE_SECURITY_TOKEN}}',
  objectType: 'Account',
  objectId: '001D000000IRFmaIAH',
  externalIdField: 'External_Key__c',
  externalId: 'order-17',
  body: '={"Name": "Acme \\"Rockets\\" & Sons", "NumberOfEmployees": 5, "Description": null}',
  records: '=[{"attributes": {"type": "Account"}, "Id": "001D000000IRFmaIAH", "External_Key__c": "k", "Name": "Acme"}]',
  objectIds: '=["001D000000IRFmaIAH"]',
  compositeRequest: '=[{"method": "POST", "url": "/sobjects/Account", "referenceId": "account", "body": {"Name": "Acme"}}]',
  allOrNone: '=true',
  collateSubrequests: '=true',
  batchRequests: '=[{"method": "POST", "url": "/sobjects/Account", "body": {"Name": "Acme"}}]',
  haltOnError: '=true',
  graphs: '=[{"graphId": "order", "compositeRequest": [{"method": "POST", "url": "/sobjects/Account", "body": {"Name": "Acme"}}]}]',
  content: '={"camunda.document.type": "camunda", "storeId": "s", "documentId": "d", "contentHash": "h", "metadata": {"fileName": "quote.txt"}}',
  pathOnClient: 'quote.txt',
  title: 'Quote',
  firstPublishLocationId: '500D000000IRFmaIAH',
  contentDocumentId: '069D00000000so2IAA',
  linkedEntityId: '500D000000IRFmaIAH',
  fileId: '069D00000000so2IAA',
  fields: 'Id, Name',
  relationshipFieldName: 'Owner',
  queryParameters: '={"pageSize": 5}',
  // Zeebe reads a backslash in an input as an escape; so it is written twice.
  soqlQuery: 'SELECT Id, Name\nFROM Account\nWHERE Name = \'O\\\\\'Brien\' LIMIT 10',
  bulkJobId: '="7505g00000XyZaBAAV"',
  assignmentRuleId: '01QD0000000EqAnMAK',
  deletedToo: '=true',
  allPages: '=true',
  batchSize: '500',
  parameters: '={}',
  soslQuery: 'FIND {Acme} IN ALL FIELDS RETURNING Account(Id, Name)',
  reportId: '00O000000000001EAA',
  includeDetails: '=false',
  reportMetadata: '={"reportFilters": []}',
  listView: 'AllOpenLeads',
  article: 'how-to-reset-a-password',
  language: 'en-US',
  start: '2026-11-22T10:00:00Z',
  end: '2026-11-22T11:00:00Z',
  searchText: 'Ada Lovelace',
  objects: 'Contact',
  operators: '=false',
  nextRecordsUrl: '/services/data/v67.0/query/01gD0000002HU6KIAW-2000',
  path: '/Orders/17',
  headers: '={"X-Reason": "test"}',
  contentType: 'application/json',
  comments: 'Discount of 12 %',
  processDefinitionNameOrId: 'Discount_Approval',
  skipEntryCriteria: '=true',
  nextApproverIds: '=["005D00000015rY9IAI"]',
  contextActorId: '005D00000015rY9IAI',
  approverId: '005D00000015rY9IAI',
  workItemId: '04iD0000000Cw6SIAS',
  quickActionName: 'LogACall',
  record: '={"Subject": "Called back"}',
  eventName: 'Order_Event__e',
  keyField: 'Process_Key__c',
  key: 'order-17',
  query: 'query accounts { uiapi { query { Account(first: 5) { edges { node { Id } } } } } }',
  variables: '={"name": "Acme"}',
  operationName: 'accounts',
  actionName: 'Case/Notify_Owner',
  inputs: '=[{"text": "hello", "count": 5}]',
  flowName: 'Close_Case',
  inputVariables: '={"caseId": "500D000000IRFmaIAH"}',
  rules: '={"assignmentRule": "FALSE", "duplicateRule": "allowSave"}',
  ifUnmodifiedSince: '2026-11-22T10:00:00.000+0000',
  maxRecords: '50',
  timeout: 'PT20S',
  resultVariable: 'account',
  resultExpression: '={status: status}',
  errorExpression: '=if error.code = "NOT_FOUND" then ignoreError() else null',
  retries: '5',
  retryBackoff: 'PT10S',
  jobTimeout: 'PT2M',
  bpmnErrors: 'DUPLICATES_DETECTED, NOT_FOUND'
};

const find = (template, id) => template.properties.find(property => property.id === id);
const values = property => property.choices.map(choice => choice.value);

/** Chooses an operation, and a named connection or a way to sign in. */
function choose(modeler, element, template, choices) {
  for (const [ id, value ] of Object.entries(choices)) {
    if (value) {
      setValue(modeler, element, find(template, id), value);
    }
  }
}

/** Enters a value in every field that is shown, or only where one must be; `entry` knows values of its own. */
export function fill(modeler, element, template, { all, entry = () => undefined }) {
  const done = new Set();
  const next = () => active(element, template).find(property => !done.has(property));
  for (let property = next(); property; property = next()) {
    done.add(property);
    const { binding, type, optional, constraints } = property;
    const needed = !optional && constraints?.notEmpty && !valueOf(element, property);
    if (all && binding.key === 'resultContent') {
      setValue(modeler, element, property, values(property).at(-1));
    }
    const own = all || needed ? entry(property) : undefined;
    if (own !== undefined) {
      setValue(modeler, element, property, own);
      continue;
    }
    if (type === 'Hidden' || type === 'Dropdown' || !(all || needed)) {
      continue;
    }
    const name = (binding.name ?? binding.key ?? binding.property).split('.').pop();
    if (!(name in ENTRIES)) {
      throw new Error(`no value for the field "${property.id}": add "${name}" to ENTRIES in applied.mjs`);
    }
    const pattern = constraints?.pattern?.value;
    if (pattern && !ENTRIES[name].startsWith('=') && !new RegExp(pattern).test(ENTRIES[name])) {
      throw new Error(`"${ENTRIES[name]}" does not match the pattern of "${property.id}"`);
    }
    setValue(modeler, element, property, ENTRIES[name]);
  }
}

/** What must be true of any task with the template, however it came about. */
export function assertClean(element, template, { sources }) {
  const shown = active(element, template);
  const bound = type => shown.filter(({ binding }) => binding.type === type);
  const { inputs, headers, properties } = contents(element);
  const compare = (what, entries, expected, nameOf) => {
    const names = entries.map(([ name ]) => name);
    const declared = expected.map(({ binding }) => nameOf(binding));
    // An empty header is not written, an empty input is.
    const isWritten = ({ optional, binding, value }) => !optional && (binding.type === 'zeebe:input' || value !== undefined);
    const needed = expected.filter(isWritten).map(({ binding }) => nameOf(binding));
    for (const name of names) {
      if (!declared.includes(name)) throw new Error(`${what} ${name} is left over`);
      if (names.indexOf(name) !== names.lastIndexOf(name)) throw new Error(`${what} ${name} is there twice`);
    }
    for (const name of needed) {
      if (!names.includes(name)) throw new Error(`${what} ${name} is missing`);
    }
  };
  compare('input', inputs, bound('zeebe:input'), binding => binding.name);
  compare('header', headers, bound('zeebe:taskHeader'), binding => binding.key);
  compare('property', properties, bound('zeebe:property'), binding => binding.name);
  for (const property of shown.filter(({ type }) => type === 'Dropdown')) {
    const value = valueOf(element, property);
    if (value === undefined && property.optional) continue;
    if (!values(property).includes(value)) throw new Error(`${property.id} has the unknown choice ${value}`);
  }
  for (const [ name, source ] of sources ? inputs : []) {
    if (!source) throw new Error(`input ${name} has no source`);
  }
}

const NAMED = 'named';

/** The task for one choice, freshly made. */
async function task(template, choices, { all }) {
  const modeler = await open(EMPTY, template);
  const element = apply(modeler, 'task', template);
  choose(modeler, element, template, { ...choices, bpmnErrors: all ? 'codes' : 'none' });
  fill(modeler, element, template, { all });
  assertClean(element, template, { sources: true });
  const { xml } = await modeler.saveXML({ format: true });
  await open(xml, template);
  return element;
}

/** Every case: what was chosen, how many fields are shown, and what the task holds. */
export async function cases(template) {
  const found = [];
  const connections = values(find(template, 'connection'));
  for (const [ index, operation ] of values(find(template, 'operation')).entries()) {
    // How a task connects does not depend on what it does: the first operation stands for all.
    for (const connection of index === 0 ? connections : [ NAMED ]) {
      for (const all of [ false, true ]) {
        const element = await task(template, { connection, operation }, { all });
        const { type, retries, inputs, headers } = contents(element);
        found.push({
          operation,
          connection: connection === NAMED ? NAMED : 'inline',
          authentication: connection === NAMED ? null : connection,
          filled: all,
          fields: active(element, template).filter(property => property.type !== 'Hidden').length,
          type,
          retries,
          inputs: Object.fromEntries(inputs),
          headers: Object.fromEntries(headers)
        });
      }
    }
  }
  return found;
}

/** Changes one dropdown of a filled task to every other choice, and back: nothing is left behind. */
export async function assertSwitchesAreClean(template) {
  let count = 0;
  for (const id of [ 'operation', 'connection', 'bpmnErrors' ]) {
    const choices = values(find(template, id));
    for (const from of choices) {
      // Of the many operations each is changed to the next and back.
      const next = choices[(choices.indexOf(from) + 1) % choices.length];
      for (const to of id === 'operation' ? [ next ] : choices.filter(value => value !== from)) {
        const start = { connection: 'oauth-jwt-bearer-flow', operation: 'query', bpmnErrors: 'codes' };
        const modeler = await open(EMPTY, template);
        const element = apply(modeler, 'task', template);
        choose(modeler, element, template, { ...start, [id]: from });
        fill(modeler, element, template, { all: true });
        for (const value of [ to, from, to ]) {
          setValue(modeler, element, find(template, id), value);
          try {
            assertClean(element, template, { sources: false });
          } catch (error) {
            throw new Error(`${id} from ${from} to ${to}: ${error.message}`);
          }
        }
        count += 1;
      }
    }
  }
  await assertResultCanBeDropped(template);
  return count + 1;
}

/** Empties the result variable: what it should hold goes with it. */
async function assertResultCanBeDropped(template) {
  const modeler = await open(EMPTY, template);
  const element = apply(modeler, 'task', template);
  choose(modeler, element, template, { operation: 'query' });
  fill(modeler, element, template, { all: true });
  setValue(modeler, element, find(template, 'resultVariable'), undefined);
  assertClean(element, template, { sources: true });
  if (contents(element).headers.some(([ key ]) => key === 'resultVariable' || key === 'resultContent')) {
    throw new Error('a header of the result is left over');
  }
}

/** Applies each entry of the modeler's search: it chooses its operation. */
export async function assertSearchEntriesWork(template) {
  for (const { name, presetId } of template.steps.flatMap(({ steps }) => steps)) {
    const modeler = await open(EMPTY, template);
    const element = apply(modeler, 'task', template, { presetId });
    const operation = valueOf(element, find(template, 'operation'));
    if (operation !== presetId) throw new Error(`the entry "${name}" chooses ${operation}`);
    assertClean(element, template, { sources: false });
  }
}
