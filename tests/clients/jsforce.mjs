// DevOrg as jsforce sees it: node jsforce.mjs ORG_URL

import assert from 'node:assert/strict';
import jsforce from 'jsforce';
import { check, runAll } from './checks.mjs';

const loginUrl = process.argv[2];
assert.ok(loginUrl, 'usage: node jsforce.mjs ORG_URL');
const oauth2 = { loginUrl, clientId: 'dev-client', clientSecret: 'dev-secret' };
const version = '67.0';
const conn = new jsforce.Connection({ oauth2, version });
const Account = conn.sobject('Account');

/** The error of a call that has to fail. */
async function refusal(call) {
  let value;
  try {
    value = await call;
  } catch (error) {
    return error;
  }
  assert.fail(`expected an error, found ${JSON.stringify(value)}`);
}

const isId = (id, prefix) => assert.match(id, new RegExp(`^${prefix}[A-Za-z0-9]{15}$`));

check('log in by client credentials, and learn who that is', async () => {
  const user = await conn.authorize({ grant_type: 'client_credentials' });
  isId(user.id, '005');
  isId(user.organizationId, '00D');
  const identity = await conn.identity();
  assert.equal(identity.username, 'dev@example.com');
  assert.equal(identity.user_id, user.id);
});

check('log in by password, and be refused with a wrong one', async () => {
  const other = new jsforce.Connection({ oauth2, version });
  await other.login('dev@example.com', 'dev-passworddev-token');
  assert.equal((await other.query('SELECT Id FROM User')).totalSize, 1);
  const again = new jsforce.Connection({ oauth2, version });
  assert.equal((await refusal(again.login('dev@example.com', 'wrong'))).name, 'invalid_grant');
});

check('log in anew when the session ends', async () => {
  const tired = new jsforce.Connection({ oauth2, version, refreshToken: 'dev-refresh', instanceUrl: loginUrl });
  let refreshes = 0;
  tired.on('refresh', () => { refreshes += 1; });
  tired.accessToken = 'ended';
  assert.equal((await tired.query('SELECT Id FROM User')).totalSize, 1);
  assert.equal(refreshes, 1);
});

check('create, read, update and delete a record', async () => {
  const created = await Account.create({ Name: 'Acme', NumberOfEmployees: 5 });
  assert.equal(created.success, true);
  isId(created.id, '001');
  const read = await Account.retrieve(created.id);
  assert.deepEqual([read.attributes.type, read.Name, read.NumberOfEmployees], ['Account', 'Acme', 5]);
  const updated = await Account.update({ Id: created.id, Phone: '555', NumberOfEmployees: null });
  assert.deepEqual(updated, { id: created.id, success: true, errors: [] });
  const again = await Account.retrieve(created.id, { fields: ['Phone', 'NumberOfEmployees'] });
  assert.deepEqual([again.Phone, again.NumberOfEmployees, 'Name' in again], ['555', null, false]);
  assert.equal((await Account.destroy(created.id)).success, true);
  assert.equal((await refusal(Account.retrieve(created.id))).errorCode, 'ENTITY_IS_DELETED');
});

check('be told what is wrong with a record', async () => {
  const missing = await refusal(Account.create({ Phone: '1' }));
  assert.equal(missing.errorCode, 'REQUIRED_FIELD_MISSING');
  assert.deepEqual(missing.data.fields, ['Name']);
  assert.equal((await refusal(Account.create({ Name: 'A', Nope__c: 1 }))).errorCode, 'INVALID_FIELD');
  assert.equal((await refusal(conn.sobject('Nope').create({ Name: 'A' }))).errorCode, 'NOT_FOUND');
});

check('upsert by an external id, one record and several', async () => {
  const first = await Account.upsert({ External_Key__c: 'js-1', Name: 'One' }, 'External_Key__c');
  const second = await Account.upsert({ External_Key__c: 'js-1', Name: 'Two' }, 'External_Key__c');
  assert.deepEqual([first.created, second.created, second.id], [true, false, first.id]);
  assert.equal((await Account.findOne({ External_Key__c: 'js-1' }, ['Name'])).Name, 'Two');
  const several = await Account.upsert(
    [{ External_Key__c: 'js-1', Name: 'Three' }, { External_Key__c: 'js-2', Name: 'Four' }],
    'External_Key__c',
    { allowRecursive: false },
  );
  assert.deepEqual(several.map((result) => result.created), [false, true]);
});

check('save collections: each record with its result, all or none, and more than 200', async () => {
  const mixed = [{ Name: 'C1', AccountNumber: 'collection' }, { Phone: '1' }, { Name: 'C2', AccountNumber: 'collection' }];
  const some = await Account.create(mixed);
  assert.deepEqual(some.map((result) => result.success), [true, false, true]);
  assert.equal(some[1].errors[0].statusCode, 'REQUIRED_FIELD_MISSING');
  const none = await Account.create(mixed, { allOrNone: true });
  assert.deepEqual(none.map((result) => result.errors[0]?.statusCode),
    ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'REQUIRED_FIELD_MISSING', 'ALL_OR_NONE_OPERATION_ROLLED_BACK']);
  assert.equal(await Account.count({ AccountNumber: 'collection' }), 2);
  const ids = [some[0].id, some[2].id];
  const changed = await Account.update(ids.map((Id) => ({ Id, Phone: '77' })));
  assert.ok(changed.every((result) => result.success));
  assert.deepEqual((await Account.retrieve(ids)).map((record) => record.Phone), ['77', '77']);
  assert.ok((await Account.destroy(ids)).every((result) => result.success));
  const many = Array.from({ length: 450 }, (_, n) => ({ Name: `Page ${n}`, AccountNumber: 'pages' }));
  const results = await Account.create(many, { allowRecursive: true });
  assert.equal(results.filter((result) => result.success).length, 450);
});

check('query in pages', async () => {
  const text = "SELECT Id, Name FROM Account WHERE AccountNumber = 'pages' ORDER BY Name";
  const first = await conn.query(text, { headers: { 'Sforce-Query-Options': 'batchSize=200' } });
  assert.deepEqual([first.totalSize, first.done, first.records.length], [450, false, 200]);
  const second = await conn.queryMore(first.nextRecordsUrl);
  assert.equal(second.records.length, 250);
  assert.equal(second.done, true);
  const options = { headers: { 'Sforce-Query-Options': 'batchSize=200' }, autoFetch: true, maxFetch: 1000 };
  const all = await conn.query(text, options).run(options);
  const names = all.records.map((record) => record.Name);
  assert.equal(new Set(names).size, 450);
  assert.equal((await refusal(conn.query('SELECT Nope FROM Account'))).errorCode, 'INVALID_FIELD');
});

check('query parents, children, counts and the recycle bin', async () => {
  const account = await Account.create({ Name: 'Parent' });
  const contact = await conn.sobject('Contact').create({ LastName: 'Child', AccountId: account.id });
  const child = await conn.query(`SELECT Account.Name FROM Contact WHERE Id = '${contact.id}'`);
  assert.equal(child.records[0].Account.Name, 'Parent');
  const parent = await conn.sobject('Account').find({ Id: account.id }, 'Id').include('Contacts').select('LastName').end();
  assert.equal(parent[0].Contacts.records[0].LastName, 'Child');
  const groups = await conn.query("SELECT AccountNumber, COUNT(Id) n FROM Account WHERE AccountNumber = 'pages' GROUP BY AccountNumber");
  assert.deepEqual([groups.records[0].AccountNumber, groups.records[0].n], ['pages', 450]);
  await conn.sobject('Contact').destroy(contact.id);
  const text = `SELECT IsDeleted FROM Contact WHERE Id = '${contact.id}'`;
  assert.deepEqual([(await conn.query(text)).totalSize, (await conn.query(text, { scanAll: true })).records[0].IsDeleted], [0, true]);
});

check('search', async () => {
  await conn.sobject('Contact').create({ LastName: 'Searchable', Email: 'searchable@example.com' });
  const found = await conn.search('FIND {Searchable} IN ALL FIELDS RETURNING Contact(Id, LastName), Account(Id)');
  assert.deepEqual(found.searchRecords.map((record) => [record.attributes.type, record.LastName]), [['Contact', 'Searchable']]);
  assert.equal((await refusal(conn.search('FIND Searchable'))).errorCode, 'MALFORMED_SEARCH');
});

check('describe the org and its objects', async () => {
  const all = await conn.describeGlobal();
  const names = all.sobjects.map((object) => object.name);
  for (const name of ['Account', 'Contact', 'Case', 'User']) assert.ok(names.includes(name), name);
  const account = await Account.describe();
  const name = account.fields.find((field) => field.name === 'Name');
  assert.deepEqual([name.type, name.nillable, name.nameField], ['string', false, true]);
  assert.ok(account.childRelationships.some((child) => child.relationshipName === 'Contacts'));
});

check('read the limits, and see them used', async () => {
  const before = (await conn.limits()).DailyApiRequests;
  assert.ok(before.Max > before.Remaining);
  assert.equal((await conn.limits()).DailyApiRequests.Remaining, before.Remaining - 1);
  assert.equal(conn.limitInfo.apiUsage.limit, before.Max);
});

check('list what was updated, deleted and used', async () => {
  const kept = await Account.create({ Name: 'Kept' });
  const gone = await Account.create({ Name: 'Gone' });
  await Account.destroy(gone.id);
  await Account.retrieve(kept.id);
  const minutes = (count) => new Date(Date.now() + count * 60000);
  const updated = await Account.updated(minutes(-5), minutes(5));
  assert.ok(updated.ids.includes(kept.id) && updated.latestDateCovered);
  const deleted = await Account.deleted(minutes(-5), minutes(5));
  const ids = deleted.deletedRecords.map((record) => record.id);
  assert.deepEqual([ids.includes(gone.id), ids.includes(kept.id)], [true, false]);
  assert.ok(deleted.earliestDateAvailable && deleted.latestDateCovered);
  const recent = (await conn.recent()).map((record) => record.Id);
  assert.deepEqual([recent.includes(kept.id), recent.includes(gone.id)], [true, false]);
  assert.ok((await Account.recent()).some((record) => record.Id === kept.id));
});

check('composite: several requests in one call, all or none', async () => {
  const base = `/services/data/v${version}`;
  const request = (method, url, referenceId, body) => ({ method, url: `${base}/${url}`, referenceId, body });
  const send = (allOrNone, compositeRequest) => conn.requestPost(`${base}/composite`, { allOrNone, compositeRequest });
  const done = await send(true, [
    request('POST', 'sobjects/Account', 'account', { Name: 'Composite', AccountNumber: 'composite' }),
    request('POST', 'sobjects/Contact', 'contact', { LastName: 'Composite', AccountId: '@{account.id}' }),
    request('GET', 'sobjects/Contact/@{contact.id}?fields=AccountId', 'back'),
  ]);
  assert.deepEqual(done.compositeResponse.map((part) => part.httpStatusCode), [201, 201, 200]);
  assert.equal(done.compositeResponse[2].body.AccountId, done.compositeResponse[0].body.id);
  const undone = await send(true, [
    request('POST', 'sobjects/Account', 'one', { Name: 'Undone', AccountNumber: 'composite' }),
    request('POST', 'sobjects/Account', 'two', { AccountNumber: 'composite' }),
  ]);
  assert.deepEqual(undone.compositeResponse.map((part) => part.body[0].errorCode), ['PROCESSING_HALTED', 'REQUIRED_FIELD_MISSING']);
  assert.equal(await Account.count({ AccountNumber: 'composite' }), 1);
});

check('composite: a tree of records', async () => {
  const records = [{
    attributes: { type: 'Account', referenceId: 'parent' }, Name: 'Tree',
    Contacts: { records: [{ attributes: { type: 'Contact', referenceId: 'child' }, LastName: 'Leaf' }] },
  }];
  const made = await conn.requestPost(`/services/data/v${version}/composite/tree/Account`, { records });
  assert.deepEqual([made.hasErrors, made.results.map((result) => result.referenceId)], [false, ['parent', 'child']]);
  assert.equal((await conn.sobject('Contact').retrieve(made.results[1].id)).AccountId, made.results[0].id);
});

check('call Apex REST', async () => {
  const made = await conn.apex.post('/Orders/new', { name: 'By Apex' });
  assert.equal(made.path, '/Orders/new');
  assert.equal((await Account.retrieve(made.id)).Name, 'By Apex');
  assert.deepEqual(await conn.apex.get('/Orders/7?status=open'), { path: '/Orders/7', status: 'open' });
  assert.equal((await refusal(conn.apex.get('/Nothing'))).errorCode, 'NOT_FOUND');
});

check('invoke a flow and an action', async () => {
  const invoke = (name, ...inputs) => conn.requestPost(`/services/data/v${version}/actions/custom/${name}`, { inputs });
  const [opened] = await invoke('flow/Open_Account', { name: 'By flow' });
  assert.deepEqual([opened.isSuccess, opened.outputValues.Flow__InterviewStatus], [true, 'Finished']);
  assert.equal((await Account.retrieve(opened.outputValues.accountId)).Name, 'By flow');
  const [, wrong] = await invoke('flow/Open_Account', { name: 'Right' }, {});
  assert.deepEqual([wrong.isSuccess, wrong.errors[0].statusCode], [false, 'INVALID_API_INPUT']);
  const refused = await refusal(invoke('apex/Refuse', {}));
  assert.match(refused.message, /because/);
});

check('submit for approval, approve and reject', async () => {
  const { approval } = conn.process;
  assert.deepEqual((await approval.list()).Account.map((process) => process.name), ['Big_Account']);
  const account = await Account.create({ Name: 'Approved', Site: 'big' });
  for (const [decide, status] of [['approve', 'Approved'], ['reject', 'Rejected']]) {
    const submitted = await approval.submit(account.id, 'please', {});
    assert.deepEqual([submitted.success, submitted.instanceStatus, submitted.newWorkitemIds.length], [true, 'Pending', 1]);
    const item = await conn.query(
      `SELECT Id FROM ProcessInstanceWorkitem WHERE ProcessInstance.TargetObjectId = '${account.id}'`);
    assert.equal(item.records[0].Id, submitted.newWorkitemIds[0]);
    const decided = await approval[decide](item.records[0].Id, 'decided');
    assert.deepEqual([decided.success, decided.instanceStatus], [true, status]);
  }
  const small = await Account.create({ Name: 'Small' });
  assert.match((await refusal(approval.submit(small.id, 'please', {}))).message, /NO_APPLICABLE_PROCESS/);
});

check('run a quick action and publish an event', async () => {
  const account = await Account.create({ Name: 'Quick' });
  const action = Account.quickAction('Add_Contact');
  const done = await action.execute(account.id, { LastName: 'Quick' });
  assert.equal(done.success, true);
  assert.equal((await conn.query(`SELECT LastName FROM Contact WHERE AccountId = '${account.id}'`)).records[0].LastName, 'Quick');
  const published = await conn.sobject('Order_Placed__e').create({ Number__c: '7' });
  assert.equal(published.success, true);
});

check('upload a file and download it', async () => {
  const bytes = Buffer.from([0, 1, 2, 0xfe, 0xff, 10, 13]);
  const versions = conn.sobject('ContentVersion');
  const made = await versions.create({ Title: 'Bytes', PathOnClient: 'bytes.bin', VersionData: bytes.toString('base64') });
  const parts = await versions.record(made.id).blob('VersionData').toArray();
  assert.deepEqual(Buffer.concat(parts), bytes);
  assert.equal((await versions.retrieve(made.id)).ContentSize, bytes.length);
});

check('bulk: insert, with failed rows told apart', async () => {
  conn.bulk2.pollInterval = 50;
  const input = [
    { Name: 'Bulk "1"', AccountNumber: 'bulk' }, { Name: 'Bulk\n2', AccountNumber: 'bulk' }, { Name: '', AccountNumber: 'bulk' },
  ];
  const done = await conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'insert', input });
  assert.deepEqual(done.successfulResults.map((row) => [row.sf__Created, row.Name]),
    [['true', 'Bulk "1"'], ['true', 'Bulk\n2']]);
  assert.equal(done.failedResults.length, 1);
  assert.match(done.failedResults[0].sf__Error, /^REQUIRED_FIELD_MISSING:.*:Name --$/);
  assert.equal(done.unprocessedRecords.length, 0);
});

check('bulk: upsert, update, delete and hard delete', async () => {
  const load = (operation, input, more = {}) =>
    conn.bulk2.loadAndWaitForResults({ object: 'Account', operation, input, ...more });
  const keys = [{ External_Key__c: 'js-1', Name: 'Bulk one' }, { External_Key__c: 'js-3', Name: 'Bulk three' }];
  const upserted = await load('upsert', keys, { externalIdFieldName: 'External_Key__c' });
  assert.deepEqual(upserted.successfulResults.map((row) => row.sf__Created), ['false', 'true']);
  const [{ sf__Id: first }, { sf__Id: second }] = upserted.successfulResults;
  await load('update', [{ Id: first, Phone: '#N/A', Site: 'here' }, { Id: second, Phone: '9' }]);
  assert.deepEqual((await Account.retrieve([first, second])).map((record) => [record.Phone, record.Site]),
    [[null, 'here'], ['9', null]]);
  assert.equal((await load('delete', [{ Id: first }])).successfulResults.length, 1);
  assert.equal((await refusal(Account.retrieve(first))).errorCode, 'ENTITY_IS_DELETED');
  assert.equal((await load('hardDelete', [{ Id: second }])).successfulResults.length, 1);
  assert.equal((await refusal(Account.retrieve(second))).errorCode, 'NOT_FOUND');
});

check('bulk: step by step, abort, and a job that makes no sense', async () => {
  const job = conn.bulk2.createJob({ object: 'Account', operation: 'insert' });
  assert.equal((await job.open()).state, 'Open');
  await job.uploadData('Name\nAborted\n');
  const twice = conn.bulk2.job('ingest', { id: job.id }).uploadData('Name\nTwice\n');
  assert.match((await refusal(twice)).message, /only do 'PUT' once/);
  await job.abort();
  assert.equal((await job.check()).state, 'Aborted');
  assert.deepEqual((await job.getUnprocessedRecords()).map((row) => row.Name), ['Aborted']);
  await job.delete();
  assert.equal((await refusal(job.check())).errorCode, 'NOT_FOUND');
  const wrong = conn.bulk2.createJob({ object: 'Nope', operation: 'insert' });
  assert.equal((await refusal(wrong.open())).errorCode, 'INVALIDJOB');
});

check('bulk: a job that fails says why', async () => {
  const job = conn.bulk2.createJob({ object: 'Account', operation: 'insert' });
  await job.open();
  await job.uploadData('Name,Nope\nA,B\n');
  await job.close();
  assert.match((await refusal(job.poll(50, 10000))).message, /InvalidBatch : Field name not found : Nope/);
});

check('bulk: query in pages to the last', async () => {
  const stream = await conn.bulk2.query("SELECT Id, Name FROM Account WHERE AccountNumber = 'pages'", { pollInterval: 50 });
  const records = await stream.toArray();
  assert.equal(new Set(records.map((record) => record.Name)).size, 450);
  const refused = await refusal(conn.bulk2.query('SELECT COUNT() FROM Account'));
  assert.match(refused.message, /not supported in Bulk Query/);
});

await runAll('jsforce');
