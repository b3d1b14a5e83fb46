import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { httpsApi } from '../../helpers/https-api.ts';
import { eventually } from '../../helpers/eventually.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

/** 3 MB in pieces whose memory is used again and again, none of which looks like another. */
const wanted = Array.from({ length: 30 }, (_, index) => ({ name: `long-${String(index).padStart(2, '0')}`, x: `${String.fromCodePoint(97 + index % 26)}${index % 3 === 0 ? '\u00e9' : 'e'}`.repeat(50_000 + index) }));

test('a list of many pieces comes whole and in order, compressed or not, also to those who read slowly', async (t) => {
  const api = await httpsApi();
  t.teardown(() => api.close());
  for (const { name, x } of wanted) t.is((await api.call(configMaps, { body: { metadata: { name, labels: { long: 'yes' } }, data: { x } } })).code, 201);
  const namesAndTexts = (text: string): unknown => (JSON.parse(text) as { items: { metadata: { name: string }; data: { x: string } }[] }).items.map(({ metadata: { name }, data: { x } }) => ({ name, x }));
  const path = `${configMaps}?labelSelector=long%3Dyes`;

  const plain = await api.call(path);
  t.is(Number(plain.headers['content-length']), plain.bytes.length);
  t.deepEqual(namesAndTexts(plain.text), wanted);

  const zipped = await api.call(path, { headers: { 'accept-encoding': 'gzip' } });
  t.is(zipped.headers['content-encoding'], 'gzip');
  t.deepEqual(namesAndTexts(gunzipSync(zipped.bytes).toString('utf8')), wanted);

  const slow = await api.open(path);
  const parts: Buffer[] = [];
  for await (const part of slow as AsyncIterable<Buffer>) {
    parts.push(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.deepEqual(namesAndTexts(Buffer.concat(parts).toString('utf8')), wanted);
});

test('a reader that leaves in the middle of a list takes nobody along, and leaves nothing behind', async (t) => {
  const api = await httpsApi();
  t.teardown(() => api.close());
  for (const { name, x } of wanted) await api.call(configMaps, { body: { metadata: { name }, data: { x } } });
  const answered = async (): Promise<string | undefined> => /^apiserver_request_total\{.*verb="LIST".*resource="configmaps".*\} (\d+)$/m.exec((await api.call('/metrics')).text)?.[1];
  for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
    const left = await api.open(configMaps, { headers });
    left.once('data', () => left.destroy());
    left.on('error', () => undefined);
    await new Promise((resolve) => left.once('close', resolve));
  }
  await eventually(async () => t.is(await answered(), '2'));
  t.is((await api.call(`${configMaps}/long-07`)).code, 200);
});
