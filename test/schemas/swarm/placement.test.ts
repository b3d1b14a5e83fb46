import test from 'ava';
import { maxEntries, swarmPlacement, validateSwarmAnnotations } from '../../../schemas/swarm/placement.ts';

const field = 'metadata.annotations';
const one = (name: string, value: string): readonly string[] => validateSwarmAnnotations({ [`swarm.barge.dev/${name}`]: value }, field).map(({ field, message }) => `${field}: ${message}`);

test('lists are one entry a line or JSON', (t) => {
  const lines = swarmPlacement({ 'swarm.barge.dev/constraints': '\n storage==ssd\n\nnode!=/w-[12]/\n' });
  const json = swarmPlacement({ 'swarm.barge.dev/constraints': ' ["storage==ssd","node!=/w-[12]/"]' });
  t.deepEqual(lines, json);
  t.deepEqual(lines?.constraints.map(({ text }) => text), ['storage==ssd', 'node!=/w-[12]/']);
});

test('every annotation is read', (t) => {
  const placement = swarmPlacement({
    'other/annotation': 'x', 'swarm.barge.dev/whitelists': 'node==a|b', 'swarm.barge.dev/affinities': 'container==db\nimage==~redis\ncom.example.type!=web',
    'swarm.barge.dev/dependencies': 'volumes-from=data:ro\nlink=db:database\nnet=container:proxy', 'swarm.barge.dev/preferences': 'spread=node.labels.zone\nengine.labels.rack',
    'swarm.barge.dev/max-replicas-per-node': '2',
  });
  t.like(placement, { dependencies: ['data', 'db', 'proxy'], preferences: [{ of: 'node', label: 'zone' }, { of: 'engine', label: 'rack' }], maxReplicasPerNode: 2 });
  t.deepEqual(placement?.affinities.map(({ key, soft }) => [key, soft]), [['container', false], ['image', true], ['com.example.type', false]]);
  t.is(swarmPlacement({ 'other/annotation': 'x' }), undefined);
  t.is(swarmPlacement(undefined), undefined);
  t.is(swarmPlacement({ 'swarm.barge.dev/max-replicas-per-node': '0' })?.maxReplicasPerNode, undefined);
});

for (const [name, value, message] of [
  ['constraints', 'storage=ssd', 'metadata.annotations[swarm.barge.dev/constraints]: Invalid value: "storage=ssd": "storage=ssd": must have one of the operators == and != (for example storage==ssd)'],
  ['constraints', '["a==b", 1]', 'metadata.annotations[swarm.barge.dev/constraints]: Invalid value: "[\\"a==b\\", 1]": must be one entry a line, or a JSON array of strings'],
  ['constraints', '["a==b"', 'metadata.annotations[swarm.barge.dev/constraints]: Invalid value: "[\\"a==b\\"": must be one entry a line, or a JSON array of strings'],
  ['whitelists', 'node!=a', 'metadata.annotations[swarm.barge.dev/whitelists]: Invalid value: "node!=a": "node!=a": a whitelist must have the operator == (for example node==worker-1|worker-2)'],
  ['affinities', 'image==/(/', 'must have a value that is a glob or a /regular expression/ of RE2'],
  ['dependencies', 'net=host', 'must be volumes-from=NAME, link=NAME or net=container:NAME'],
  ['dependencies', 'db', 'must be volumes-from=NAME, link=NAME or net=container:NAME'],
  ['preferences', 'spread=node.hostname', 'must be spread=node.labels.NAME or spread=engine.labels.NAME'],
  ['preferences', 'binpack=node.labels.rack', 'must be spread=node.labels.NAME'],
  ['max-replicas-per-node', '-1', 'must be a number from 0 (no limit) to 2147483647'],
  ['max-replicas-per-node', '3000000000', 'must be a number from 0 (no limit)'],
  ['constraint', 'a==b', 'metadata.annotations: Unsupported value: "swarm.barge.dev/constraint": supported values: "swarm.barge.dev/constraints"'],
  ['constraints', 'a==b\n'.repeat(maxEntries + 1), `must have at most ${maxEntries} entries`],
  ['hasOwnProperty', 'x', 'Unsupported value'],
] as const) {
  test(`${name} ${JSON.stringify(value.slice(0, 20))} is refused`, (t) => {
    const errors = one(name, value);
    t.is(errors.length, 1);
    t.true(errors[0]?.includes(message), errors[0]);
  });
}

test('the most entries are taken, and other annotations are nobody\'s business', (t) => {
  t.deepEqual(one('constraints', 'a==b\n'.repeat(maxEntries)), []);
  t.deepEqual(validateSwarmAnnotations({ a: 'b', 'barge.dev/x': 'y' }, field), []);
  t.deepEqual(validateSwarmAnnotations(undefined, field), []);
});
