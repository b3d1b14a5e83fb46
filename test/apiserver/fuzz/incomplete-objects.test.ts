/** Objects of every kind that lack one member, or have null, an empty list or an odd text in its place: refused, or taken, and never a fault. */
import { generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { silentLog } from '../../../base/log.ts';
import { ApiError } from '../../../schemas/errors.ts';
import { serves, type AnyKind } from '../../../schemas/kind.ts';
import { testApi, testRegistry } from '../../helpers/api.ts';
import { goodObject } from './good-objects.ts';
import type { Json } from './mutations.ts';
import { objectOf } from './requests.ts';

type Holder = { [name: string]: Json };

/** What is put in a member's place; undefined takes the member away, and the text is nearly nowhere a good one. */
const instead: readonly (Json | undefined)[] = [undefined, null, [], '*.a'];

/** Every object with one change; the number of a member says which. */
function* changed(object: Json): Generator<Json> {
  const count = membersOf(object).length;
  for (let index = 0; index < count; index++) {
    for (const value of instead) {
      const copy = structuredClone(object);
      const [holder, name] = membersOf(copy)[index]!;
      if (value !== undefined) holder[name] = structuredClone(value);
      else if (Array.isArray(holder)) holder.splice(Number(name), 1);
      else delete holder[name];
      yield copy;
    }
  }
}

const membersOf = (value: Json, out: [Holder, string][] = []): [Holder, string][] => {
  if (typeof value !== 'object' || value === null) return out;
  for (const name of Object.keys(value)) {
    out.push([value as Holder, name]);
    membersOf((value as Holder)[name]!, out);
  }
  return out;
};

test('no object that lacks something makes the server fail', async (t) => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  /** One of each sort, with the object that shows it. */
  const faults = new Map<string, string>();
  let logged = '';
  const log = { ...silentLog, error: (message: string, fields?: Readonly<Record<string, unknown>>) => { logged = `${message} ${String((fields?.['error'] as Error | undefined)?.stack).split('\n').slice(0, 3).join(' ')}`; }, with: () => log };
  const { transport, close } = await testApi({ log, accountTokens: { key, issuer: 'https://test' } });
  const at = ({ group, version, plural: resource, scope }: AnyKind) => ({ group, version, resource, ...(scope === 'Namespaced' ? { namespace: 'default' } : {}) });
  const send = async (request: Parameters<typeof transport.send>[0], what: () => string): Promise<void> => {
    try {
      await transport.send(request);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code >= 500) logged ||= String(error);
    }
    if (logged !== '' && !faults.has(logged)) faults.set(logged, what());
    logged = '';
  };
  let sent = 0;
  const kinds = (await testRegistry()).all().filter((kind) => serves(kind, 'create') && goodObject(kind) !== undefined);
  // Without its account a pod is refused before anybody looks at it.
  await transport.send({ verb: 'create', group: '', version: 'v1', resource: 'serviceaccounts', namespace: 'default', body: { metadata: { name: 'default' } } });
  await transport.send({ verb: 'create', group: '', version: 'v1', resource: 'limitranges', namespace: 'default', body: { metadata: { name: 'l' }, ...goodObject(kinds.find(({ kind }) => kind === 'LimitRange')!) } });
  for (const kind of kinds) {
    const good = objectOf(kind, 'good') as Holder;
    const { finalizers: _, ownerReferences: __, ...metadata } = good['metadata'] as Holder;
    const name = String(metadata['name']);
    for (const body of changed({ ...good, metadata })) {
      sent++;
      await send({ verb: 'create', ...at(kind), body, options: { dryRun: true } }, () => `create ${kind.kind} ${JSON.stringify(body)}`);
    }
    // What is there already is refused as such before anybody looks at it: so the good one comes only now.
    await transport.send({ verb: 'create', ...at(kind), body: { ...good, metadata } }).catch(() => undefined);
    for (const body of changed({ ...good, metadata })) {
      if (serves(kind, 'update')) await send({ verb: 'update', ...at(kind), name, body, options: { dryRun: true } }, () => `update ${kind.kind} ${JSON.stringify(body)}`);
      if (kind.subresources.status === true) await send({ verb: 'update', ...at(kind), name, subresource: 'status', body, options: { dryRun: true } }, () => `update ${kind.kind}/status ${JSON.stringify(body)}`);
    }
  }
  t.log(`${sent} objects`);
  t.deepEqual([...faults], []);
  t.true(sent > 3_000, String(sent));
  await close();
});
