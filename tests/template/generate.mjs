// Templates made from an org: by the program itself, before an org in memory that describes its objects as real orgs do.

import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const RECORDED = 'dev/fixtures/recorded/describe';

// An org for each: an object has one description. The last one describes its objects itself, which have an external id field.
const ORGS = [
  { org: 'recorded', describes: [ 'Account', 'Case', 'Contact', 'Lead', 'Opportunity', 'Event' ] },
  { org: 'person-accounts', describes: [ 'Account.person-accounts' ] },
  { org: 'dev', describes: [], objects: [ 'Account', 'Contact' ] }
];

/** What a recorded org says of an object. */
export const recorded = (root, name) => JSON.parse(readFileSync(`${root}/${RECORDED}/${name}.json`, 'utf-8'));

async function startOrg(program, files) {
  const flags = [ 'dev-org', '--listen', '127.0.0.1:0', ...files.flatMap(file => [ '--describe', file ]) ];
  const child = spawn(program, flags, { stdio: [ 'ignore', 'pipe', 'ignore' ] });
  for await (const line of createInterface({ input: child.stdout })) {
    // The rest is read too, so that the program is not stopped by a full pipe.
    child.stdout.resume();
    return { child, url: line.split(' ').pop() };
  }
  throw new Error(`${program} dev-org does not start`);
}

async function madeOf(program, folder, root, { org, describes, objects }) {
  const files = describes.map(name => `${root}/${RECORDED}/${name}.json`);
  const { child, url } = await startOrg(program, files);
  try {
    const configuration = `${folder}/${org}.toml`;
    writeFileSync(configuration, `
      [hosts]
      allow_http = true
      allow_loopback = true
      [connections.dev]
      base_url = "${url}"
      [connections.dev.authentication]
      type = "oauth-client-credentials-flow"
      client_id = "dev-client"
      client_secret = "dev-secret"`);
    const names = objects ?? describes.map(name => name.split('.')[0]);
    const out = `${folder}/${org}`;
    await promisify(execFile)(program, [ 'templates', '--config', configuration, '--connection', 'dev', '--object', names.join(), '--out', out ]);
    return readdirSync(out).sort().map(file => ({
      org,
      name: `${org}/${file.replace(/\.json$/, '')}`,
      describe: describes.find(name => name.split('.')[0] === file.split('.')[0]),
      text: readFileSync(`${out}/${file}`, 'utf-8')
    }));
  } finally {
    child.kill();
  }
}

/** Every template: its org, a name such as `recorded/Case.create`, the description behind it, its text. */
export async function generate(root) {
  const program = process.env.SALESFORCE_CONNECTOR ?? `${root}/target/debug/salesforce-connector`;
  const folder = mkdtempSync(`${tmpdir()}/org-templates-`);
  try {
    const made = [];
    for (const org of ORGS) made.push(...await madeOf(program, folder, root, org));
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
