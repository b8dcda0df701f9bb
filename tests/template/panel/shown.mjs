// The properties panel for one template: opening it, and what it shows.

const page = new URL('panel.html', import.meta.url).href;

const DIAGRAM = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
  id="definitions" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="process" isExecutable="true"><bpmn:task id="task" name="Talk to Salesforce" /></bpmn:process>
  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="process">
    <bpmndi:BPMNShape id="shape" bpmnElement="task"><dc:Bounds x="160" y="80" width="100" height="80" /></bpmndi:BPMNShape>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>`;

export const GROUPS = '[data-group-id^="group-ElementTemplates__CustomProperties"]';

/** A tab with a task that has the template, and what went wrong in it. */
export async function show(browser, template) {
  const tab = await browser.newPage();
  const problems = [];
  tab.on('pageerror', error => problems.push(error.message));
  await tab.goto(page);
  problems.push(...await tab.evaluate(([ xml, json ]) => window.show(xml, json), [ DIAGRAM, template ]));
  await tab.locator('.bio-properties-panel-group').first().waitFor();
  return { tab, problems };
}

/** What the panel shows: the template's sections with the labels of their fields. Runs in the page. */
export function sections(groups) {
  return [ ...document.querySelectorAll(groups) ].map(group => ({
    title: group.querySelector('.bio-properties-panel-group-header-title').textContent.trim(),
    labels: [ ...group.querySelectorAll('.bio-properties-panel-entry') ]
      .map(entry => entry.querySelector('.bio-properties-panel-label')?.textContent.trim() ?? ''),
    complaints: [ ...group.querySelectorAll('.bio-properties-panel-error') ].map(error => error.textContent.trim())
  }));
}

/** The order of the sections, no section without a field, no field without a label, no complaint but that one must be filled. */
export function check(name, template, shown) {
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

/** Opens every section. */
export async function openAll(tab) {
  const closed = tab.locator(`${GROUPS} > .bio-properties-panel-group-header:not(.open)`);
  while (await closed.count()) await closed.first().click();
}

/** Selects the task, and says how many milliseconds it takes until its sections are drawn. Runs in the page. */
export const opened = groups => new Promise(done => {
  const begun = performance.now();
  const look = () => document.querySelector(groups)
    ? requestAnimationFrame(() => done(performance.now() - begun))
    : requestAnimationFrame(look);
  select();
  look();
});
