#!/usr/bin/env node
// Checks the element template and the examples with the tools of Camunda Modeler.
//
//   node check.mjs            fails when something is wrong or a generated file is stale
//   node check.mjs --update   writes the generated files anew

import { build } from 'esbuild';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const bundle = `${here}node_modules/.cache/run.mjs`;

// bpmn-js and its extensions are written for bundlers; Node alone does not resolve their imports.
await build({ entryPoints: [ `${here}run.mjs` ], outfile: bundle, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' });
const { run } = await import(pathToFileURL(bundle));

try {
  await run({ root: fileURLToPath(new URL('../..', import.meta.url)), update: process.argv.includes('--update') });
} catch (error) {
  console.error(`check failed: ${error.message}`);
  process.exitCode = 1;
}
