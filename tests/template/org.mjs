#!/usr/bin/env node
// Makes templates from orgs with the program itself, and checks them with the tools of Camunda Modeler. Needs the program:
// target/debug/salesforce-connector, or what SALESFORCE_CONNECTOR names.
//
//   node org.mjs            fails when something is wrong or org-tasks.json is stale
//   node org.mjs --update   writes org-tasks.json anew

import { check } from './bundle.mjs';

await check('org-run.mjs');
