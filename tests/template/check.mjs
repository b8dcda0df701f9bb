#!/usr/bin/env node
// Checks the element template and the examples with the tools of Camunda Modeler.
//
//   node check.mjs            fails when something is wrong or a generated file is stale
//   node check.mjs --update   writes the generated files anew

import { check } from './bundle.mjs';

await check('run.mjs');
