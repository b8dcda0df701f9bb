#!/usr/bin/env node
// Draws the pictures of the recipes, docs/recipes/*.svg, from examples/*.bpmn. Each picture says which drawing it is of,
// so that check.mjs, which needs no browser, notices when it is of another.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

import { inBrowser } from './browser.mjs';
import { drawing } from '../drawing.mjs';

const root = new URL('../../../', import.meta.url);
const page = new URL('panel.html', import.meta.url).href;

/** The picture on white, since it may stand on any ground, and with the drawing that it shows. */
function finished(svg, text) {
  const [ , x, y, width, height ] = /viewBox="(\S+) (\S+) (\S+) (\S+)"/.exec(svg);
  const hash = createHash('sha256').update(text).digest('hex');
  const ground = `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="#fff" />`;
  return svg.replace(/<svg ([^>]*)>/, (_, attributes) => `<svg data-drawing="${hash}" ${attributes}>${ground}`);
}

await inBrowser({ width: 1200, height: 800 }, async browser => {
  const names = readdirSync(new URL('docs/recipes', root)).filter(file => file.endsWith('.md')).map(file => file.slice(0, -3));
  for (const name of names) {
    const tab = await browser.newPage();
    await tab.goto(page);
    const xml = readFileSync(new URL(`examples/${name}.bpmn`, root), 'utf-8');
    const { svg, text } = await tab.evaluate(async ([ xml, drawing ]) => {
      const modeler = new BpmnModeler({ container: '#canvas' });
      await modeler.importXML(xml);
      const { svg } = await modeler.saveSVG();
      return { svg, text: new Function(`return (${drawing})`)()(modeler.get('elementRegistry')) };
    }, [ xml, drawing.toString() ]);
    writeFileSync(new URL(`docs/recipes/${name}.svg`, root), finished(svg, text));
    console.log(`docs/recipes/${name}.svg: drawn`);
    await tab.close();
  }
});
