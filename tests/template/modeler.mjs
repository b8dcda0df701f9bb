// Camunda Modeler without its window: applies a template, edits its fields, and reads what they wrote.

import { CloudElementTemplatesCoreModule } from 'bpmn-js-element-templates/core';
import ZeebeBehaviorsModule from 'camunda-bpmn-js-behaviors/lib/camunda-cloud';
import Modeler from 'bpmn-js-headless/lib/Modeler';
import zeebeModdle from 'zeebe-bpmn-moddle/resources/zeebe.json';

const ENGINE = '8.6.0';

/** A diagram with one service task `task` and nothing else. */
export const EMPTY = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="process" isExecutable="true"><bpmn:task id="task" /></bpmn:process>
  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="process">
    <bpmndi:BPMNShape id="shape" bpmnElement="task"><dc:Bounds x="0" y="0" width="100" height="80" /></bpmndi:BPMNShape>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>`;

// Labels stay where the diagram has them: measuring text would need a browser.
const LabelsAsDrawn = {
  textRenderer: [ 'value', { getExternalLabelBounds: bounds => bounds, getTextAnnotationBounds: bounds => bounds } ]
};

/** Opens a diagram with the template known; fails on whatever the modeler would only warn of. */
export async function open(xml, template, engine = ENGINE) {
  const modeler = new Modeler({
    additionalModules: [ CloudElementTemplatesCoreModule, ZeebeBehaviorsModule, LabelsAsDrawn ],
    moddleExtensions: { zeebe: zeebeModdle }
  });
  const problems = [];
  modeler.on('elementTemplates.errors', ({ errors }) => problems.push(...errors));
  modeler.on('elementTemplates.warnings', ({ warnings }) => problems.push(...warnings));
  modeler.get('elementTemplatesLoader').setTemplates([ template ]);
  modeler.get('elementTemplates').setEngines({ camunda: engine });
  const { warnings } = await modeler.importXML(xml);
  problems.push(...warnings);
  if (problems.length) {
    throw new Error(problems.map(problem => problem.message ?? String(problem)).join('; '));
  }
  return modeler;
}

/** The template as the modeler offers it for the element. */
function offered(modeler, element, id) {
  const found = modeler.get('elementTemplates').getLatest(element).find(template => template.id === id);
  if (!found) {
    throw new Error(`the modeler does not offer ${id} on this version of Camunda`);
  }
  return found;
}

/** Applies the template to a task of the diagram, which keeps the values that it has. */
export function apply(modeler, elementId, template, options) {
  const element = modeler.get('elementRegistry').get(elementId);
  return modeler.get('elementTemplates').applyTemplate(element, offered(modeler, element, template.id), options);
}

function extension(element, type) {
  const values = element.businessObject.extensionElements?.get('values') ?? [];
  return values.find(value => value.$type === type);
}

// Where each kind of binding lives: its container, the list in it, and how an entry names and holds its value.
const PLACES = {
  'zeebe:input': { container: 'zeebe:IoMapping', list: 'inputParameters', entry: 'zeebe:Input', key: 'target', value: 'source', name: 'name' },
  'zeebe:taskHeader': { container: 'zeebe:TaskHeaders', list: 'values', entry: 'zeebe:Header', key: 'key', value: 'value', name: 'key' },
  'zeebe:property': { container: 'zeebe:Properties', list: 'properties', entry: 'zeebe:Property', key: 'name', value: 'value', name: 'name' }
};

/** What the task holds: `[ name, value ]` of every input, header and extension property, in their order. */
export function contents(element) {
  const entries = type => {
    const { container, list, key, value } = PLACES[type];
    return (extension(element, container)?.get(list) ?? []).map(entry => [ entry.get(key), entry.get(value) ]);
  };
  const definition = extension(element, 'zeebe:TaskDefinition');
  return {
    type: definition?.get('type'),
    retries: definition?.get('retries'),
    inputs: entries('zeebe:input'),
    headers: entries('zeebe:taskHeader'),
    properties: entries('zeebe:property')
  };
}

/** The value at a property's binding, or undefined. */
export function valueOf(element, { binding }) {
  if (binding.type === 'zeebe:taskDefinition') {
    return extension(element, 'zeebe:TaskDefinition')?.get(binding.property);
  }
  const { container, list, key, value, name } = PLACES[binding.type];
  return extension(element, container)?.get(list).find(entry => entry.get(key) === binding[name])?.get(value);
}

/**
 * Enters a value in a field, through the modeler's commands, so that conditions are evaluated anew.
 * Without a value, an optional field is emptied.
 */
export function setValue(modeler, element, { binding }, text) {
  const modeling = modeler.get('modeling');
  if (binding.type === 'zeebe:taskDefinition') {
    modeling.updateModdleProperties(element, extension(element, 'zeebe:TaskDefinition'), { [binding.property]: text });
    return;
  }
  const place = PLACES[binding.type];
  const container = extension(element, place.container);
  const entries = container.get(place.list);
  const known = entries.find(entry => entry.get(place.key) === binding[place.name]);
  if (text === undefined) {
    modeling.updateModdleProperties(element, container, { [place.list]: entries.filter(entry => entry !== known) });
    return;
  }
  if (known) {
    modeling.updateModdleProperties(element, known, { [place.value]: text });
    return;
  }
  const entry = modeler.get('bpmnFactory').create(place.entry, {
    [place.key]: binding[place.name],
    [place.value]: text
  });
  entry.$parent = container;
  modeling.updateModdleProperties(element, container, { [place.list]: [ ...entries, entry ] });
}

function holds(condition, element, properties) {
  if (!condition) {
    return true;
  }
  if (condition.allMatch) {
    return condition.allMatch.every(part => holds(part, element, properties));
  }
  const asked = properties.find(property => property.id === condition.property);
  const value = valueOf(element, asked);
  if ('isEmpty' in condition) {
    return !value === condition.isEmpty;
  }
  return condition.oneOf ? condition.oneOf.includes(value) : value === condition.equals;
}

/** The properties whose conditions hold. */
export function active(element, template) {
  return template.properties.filter(({ condition }) => holds(condition, element, template.properties));
}
