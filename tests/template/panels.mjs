// The pictures of the properties panel in docs/modeling.md: what they are of, and whether that still looks so.

import { createHash } from 'node:crypto';

/** A section of the panel, as a task of an example shows it. */
export const PANELS = [
  { name: 'connection', process: 'contact-and-case', task: 'OpenCase', section: 'Connection' },
  { name: 'operation', process: 'contact-and-case', task: 'OpenCase', section: 'Operation' },
  { name: 'output', process: 'contact-and-case', task: 'OpenCase', section: 'Output mapping' },
  { name: 'errors', process: 'duplicate-decision', task: 'CreateContact', section: 'Error handling' },
  { name: 'retries', process: 'contact-and-case', task: 'OpenCase', section: 'Retries' }
];

/** What a picture shows, in short: the labels of its fields, and what the task holds but for the template's own name. */
export function fingerprint({ labels, inputs, headers }) {
  const own = headers.filter(([ key ]) => !key.startsWith('elementTemplate'));
  return createHash('sha256').update(JSON.stringify([ labels, inputs, own ])).digest('hex');
}
