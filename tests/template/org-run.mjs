// The checks of templates made from an org; started by org.mjs, which bundles them.

import { readFileSync, writeFileSync } from 'node:fs';
import { validateZeebe } from '@bpmn-io/element-templates-validator';

import { assertClean, fill } from './applied.mjs';
import { EMPTY, active, apply, contents, open, setValue } from './modeler.mjs';
import { generate, recorded } from './generate.mjs';

const TASKS = 'tests/template/org-tasks.json';

// What an input must take and what it must not, by the field's type in the org.
const SAMPLES = {
  int: { good: [ '5', '-12', '2147483647' ], bad: [ '5.5', 'five', '1e3', '12345678901' ] },
  double: { good: [ '5', '-0.25' ], bad: [ '5,5', 'x', '1.' ] },
  currency: { good: [ '1250.50', '0' ], bad: [ '1,250.50', '$5', '12345678901234567890' ] },
  percent: { good: [ '12.5', '5' ], bad: [ '12 %', '.' ] },
  date: { good: [ '2026-11-28', '2028-02-29' ], bad: [ '28.11.2026', '2026-13-01', '2026-11-28T10:00:00Z', '26-11-28' ] },
  datetime: {
    good: [ '2026-11-28T10:00:00Z', '2026-11-28T10:00:00.000+0100', '2026-11-28T23:59:59+01:00' ],
    bad: [ '2026-11-28', '2026-11-28T10:00:00', '2026-11-28 10:00:00', '2026-11-28T24:00:00Z' ]
  },
  email: { good: [ 'ada@example.com' ], bad: [ 'ada', 'ada@example', 'a b@example.com' ] },
  url: { good: [ 'https://example.com', 'www.example.com' ], bad: [ 'two words' ] },
  phone: { good: [ '+49 30 123456', '(555) 01' ], bad: [ 'none' ] },
  reference: { good: [ '001D000000IRFma', '001D000000IRFmaIAH' ], bad: [ '001', '001D000000IRFmaI', 'Acme' ] },
  string: { good: [ 'Acme & Söhne', '=name' ], bad: [] },
  textarea: { good: [ 'two\nlines' ], bad: [] },
  multipicklist: { good: [ 'A;B' ], bad: [] },
  picklist: { good: [], bad: [] },
  combobox: { good: [ 'Call' ], bad: [] },
  boolean: { good: [], bad: [] }
};

// The tasks that the end-to-end suite runs: template, and what is entered by the names of fields and inputs.
const ENTERED = {
  create: [ 'recorded/Account.create', {
    moreFields: 'shown', 'fields.Name': 'Acme & Söhne', 'fields.Phone': '=phone', 'fields.Fax': '=fax', 'fields.NumberOfEmployees': '5',
    'fields.AnnualRevenue': '=revenue', 'fields.Industry': 'Energy', 'fields.BillingCity': 'Zürich',
    'operation.body': '={Website: "https://acme.example", Description: null}',
    resultVariable: 'accountId', 'resultContent.createRecord': 'id'
  } ],
  update: [ 'recorded/Account.update', {
    moreFields: 'shown', 'operation.objectId': '=accountId', 'fields.Rating': 'Hot', 'fields.BillingCity': '=city', 'operation.body': '={Phone: null}'
  } ],
  get: [ 'recorded/Account.get', { 'operation.objectId': '=accountId', 'operation.fields': 'Id, Name, Phone, Rating, BillingCity' } ],
  upsert: [ 'dev/Account.upsert', {
    'operation.externalId': '=key', 'fields.Name': '=name', resultVariable: 'saved', 'resultContent.upsertRecord': 'body'
  } ],
  case: [ 'recorded/Case.create', {
    moreFields: 'shown', 'fields.Subject': '=subject', 'fields.Priority': 'High', 'fields.Origin': 'Phone',
    'fields.Description': 'two\nlines', 'fields.SuppliedEmail': 'ada@example.com', 'fields.IsEscalated': '=true'
  } ],
  contact: [ 'recorded/Contact.create', {
    moreFields: 'shown', 'fields.LastName': 'King', 'fields.FirstName': '=first', 'fields.Birthdate': '1815-12-10',
    'fields.Phone': '+44 20 1', 'fields.LeadSource': 'Web', 'operation.body': '={MailingCity: "London"}'
  } ],
  lead: [ 'recorded/Lead.create', {
    moreFields: 'shown', 'fields.LastName': 'Babbage', 'fields.Company': '=company', 'fields.Status': 'Working - Contacted',
    'fields.AnnualRevenue': '1250.50', 'fields.NumberOfEmployees': '=employees'
  } ],
  opportunity: [ 'recorded/Opportunity.create', {
    moreFields: 'shown', 'fields.Name': 'Engines', 'fields.StageName': 'Prospecting', 'fields.CloseDate': '=close',
    'fields.Amount': '=amount', 'fields.Probability': '12.5', 'fields.NextStep': 'Call'
  } ],
  event: [ 'recorded/Event.create', {
    moreFields: 'shown', 'fields.Subject': 'Meeting', 'fields.StartDateTime': '2026-11-28T10:00:00Z',
    'fields.EndDateTime': '=end', 'fields.Location': '"Room 1"', 'fields.IsAllDayEvent': '=false'
  } ],
  person: [ 'person-accounts/Account.create', {
    moreFields: 'shown', 'fields.Name': 'Ada King', 'fields.PersonEmail': 'ada@example.com', 'fields.PersonBirthdate': '1815-12-10',
    'fields.PersonDoNotCall': '=true', 'fields.npe01__AlternateEmail__pc': '=null', 'operation.body': '={FirstName: first, LastName: "King"}'
  } ],
  twice: [ 'recorded/Account.create', { moreFields: 'shown', 'fields.Name': 'Acme', 'operation.body': '={name: "Other"}' } ]
};

const find = (template, id) => template.properties.find(property => property.id === id);

function validate({ name, text }) {
  const { valid, errors } = validateZeebe(text);
  if (!valid) {
    const say = ({ message, dataPath, dataPointer }) => `${dataPath} (line ${dataPointer?.value?.line + 1}): ${message}`;
    throw new Error(`${name} is not a valid template:\n${errors.map(say).join('\n')}`);
  }
}

/** Whether Modeler would take this text in the field. */
function takes({ constraints = {} }, text) {
  const { pattern, maxLength } = constraints;
  return text.startsWith('=') || ((!maxLength || text.length <= maxLength) && (!pattern || new RegExp(pattern.value).test(text)));
}

/** A value for a field of the org. */
function entry(kinds) {
  return property => {
    if (property.id === 'moreFields') return 'shown';
    if (!property.id.startsWith('fields.') || property.type === 'Hidden') return undefined;
    if (property.type === 'Dropdown') return property.choices[0].value;
    const samples = SAMPLES[kinds[property.id.slice('fields.'.length)]]?.good ?? [];
    const all = Object.values(SAMPLES).flatMap(({ good }) => good);
    const value = [ ...samples, 'text', ...all ].find(sample => takes(property, sample));
    if (value === undefined) throw new Error(`no value fits ${property.id}`);
    return value;
  };
}

/** The types of the object's fields, and that each input takes and refuses what it should. */
function kindsOf(root, { name, describe }, template) {
  const fields = describe ? recorded(root, describe).fields : [];
  for (const { name: field, type } of fields) {
    const property = find(template, `fields.${field}`);
    if (!property || property.type === 'Dropdown') continue;
    if (!(type in SAMPLES)) throw new Error(`${name}: no samples for the type ${type} of ${field}`);
    const { good, bad } = SAMPLES[type];
    const wrong = [ ...good.filter(text => text.length < 10 && !takes(property, text)), ...bad.filter(text => takes(property, text)) ];
    if (wrong.length) throw new Error(`${name}: ${field} (${type}) does not judge right: ${wrong.join(', ')}`);
  }
  return Object.fromEntries(fields.map(({ name: field, type }) => [ field, type ]));
}

/** A task with the template, freshly made, with what must be filled or with all. */
async function task(template, options) {
  const modeler = await open(EMPTY, template);
  const element = apply(modeler, 'task', template);
  fill(modeler, element, template, options);
  assertClean(element, template, { sources: true });
  const { xml } = await modeler.saveXML({ format: true });
  await open(xml, template);
  return { modeler, element };
}

/** Nothing is sent that nobody has entered. */
function assertOnlyNeeded(name, element, template) {
  const sent = contents(element).inputs.map(([ target ]) => target).filter(target => target.includes('.operation.fields.'));
  const needed = active(element, template).filter(({ id, optional }) => id.startsWith('fields.') && !optional);
  const expected = needed.map(({ binding }) => binding.name);
  const more = sent.filter(target => !expected.includes(target));
  if (more.length) throw new Error(`${name} sends what nobody entered: ${more.join(', ')}`);
}

/** The task of the end-to-end suite, as Modeler's engine writes it. */
async function entered([ name, values ], templates) {
  const template = JSON.parse(templates.find(template => template.name === name).text);
  const modeler = await open(EMPTY, template);
  const element = apply(modeler, 'task', template);
  setValue(modeler, element, find(template, 'connection.name'), 'dev');
  for (const [ id, value ] of Object.entries(values)) {
    const property = find(template, id);
    if (!property) throw new Error(`${name} has no property ${id}`);
    if (property.type === 'Dropdown' && !property.choices.some(choice => choice.value === value)) throw new Error(`${id} has no choice ${value}`);
    if (!active(element, template).includes(property)) throw new Error(`${id} is not shown`);
    setValue(modeler, element, property, value);
  }
  assertClean(element, template, { sources: true });
  const { inputs, headers } = contents(element);
  return { inputs: Object.fromEntries(inputs), headers: Object.fromEntries(headers) };
}

export async function run({ root, update }) {
  const templates = await generate(root);
  for (const made of templates) {
    validate(made);
    const template = JSON.parse(made.text);
    const kinds = kindsOf(root, made, template);
    for (const all of [ false, true ]) {
      const { modeler, element } = await task(template, { all, entry: entry(kinds) });
      if (!all) assertOnlyNeeded(made.name, element, template);
      if (!all) continue;
      // Emptied again, an optional input is gone.
      for (const property of active(element, template).filter(({ id, optional }) => optional && id.startsWith('fields.'))) {
        setValue(modeler, element, property, undefined);
      }
      assertClean(element, template, { sources: true });
    }
    const shown = template.properties.filter(({ id }) => id.startsWith('fields.')).length;
    console.log(`${made.name}: valid, applied; ${shown} fields of its own, ${Math.round(made.text.length / 1024)} KB`);
  }
  const tasks = {};
  for (const [ name, task ] of Object.entries(ENTERED)) tasks[name] = await entered(task, templates);
  const text = `${JSON.stringify(tasks, null, 2)}\n`;
  if (update) {
    writeFileSync(`${root}/${TASKS}`, text);
  } else if (readFileSync(`${root}/${TASKS}`, 'utf-8') !== text) {
    throw new Error(`${TASKS} is not what the templates give; refresh it with: node org.mjs --update`);
  }
  console.log(`${templates.length} templates; ${TASKS}: ${update ? 'written' : 'up to date'}`);
}
