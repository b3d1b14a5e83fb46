import test from 'ava';
import * as fc from 'fast-check';
import { maxExpressionLength, parseExpression, patternMatch, swarmKitKey, whyNotConstraint, wholeMatch, type SwarmExpression } from '../../../schemas/swarm/expression.ts';

const parsed = (text: string): SwarmExpression => {
  const expression = parseExpression(text);
  if (typeof expression === 'string') throw new Error(`${text}: ${expression}`);
  return expression;
};

for (const [text, key, operator, value, soft] of [
  ['storage==ssd', 'storage', '==', 'ssd', false],
  ['NoDe==node1', 'NoDe', '==', 'node1', false],
  ['no.de==node1', 'no.de', '==', 'node1', false],
  ['_node==_node1', '_node', '==', '_node1', false],
  ['node==*node*', 'node', '==', '*node*', false],
  ['node==/(?i)^[a-b]+c*(n|b)$/', 'node', '==', '/(?i)^[a-b]+c*(n|b)$/', false],
  ['node==node 1', 'node', '==', 'node 1', false],
  ['  node == node1 ', 'node', '==', 'node1', false],
  ['region!=~us*', 'region', '!=', 'us*', true],
  ['region==~us', 'region', '==', 'us', true],
  ['node.labels.topology.kubernetes.io/zone!=a', 'node.labels.topology.kubernetes.io/zone', '!=', 'a', false],
  ['image==repo/name@sha256:0a', 'image', '==', 'repo/name@sha256:0a', false],
] as const) {
  test(`${text} is taken`, (t) => {
    t.like(parsed(text), { key, operator, value, soft });
  });
}

for (const [text, why] of [
  ['', 'operators == and !='], [' ', 'operators == and !='], ['nodeabc', 'operators'], ['node ~ abc', 'operators'], ['name=node0', 'operators'], ['name=!node0', 'operators'],
  ['1node==a2', 'the key "1node"'], ['no de==node1', 'the key "no de"'], ['no*de==node1', 'the key'], ['no$de==node1', 'the key'], ['==node1', 'the key ""'],
  ['a!=b==c', 'the key "a!=b"'], ['node==', 'a value after =='], ['node== ', 'a value'], ['node==~', 'a value after ==~'], ['region==~us~', "'~' at the beginning"],
  ['node==a\u0000b', 'control characters'], [`node==${'x'.repeat(maxExpressionLength)}`, 'at most 1024'],
] as const) {
  test(`${JSON.stringify(text.slice(0, 20))} is refused`, (t) => {
    const found = parseExpression(text);
    t.is(typeof found, 'string');
    t.true((found as string).includes(why), found as string);
  });
}

for (const [text, values, is] of [
  ['name==foo', ['foo'], true], ['name==foo', ['bar'], false], ['name==foo', ['foo', 'bar'], true], ['name==foo', [], false],
  ['name!=foo', ['foo'], false], ['name!=foo', ['bar'], true], ['name!=foo', ['foo', 'bar'], false], ['name!=foo', ['bar', 'foo'], false], ['name!=foo', [], true],
  ['name==f*o', ['foo'], true], ['name==f*o', ['fuo'], true], ['name==f*o', ['fooo!'], false], ['name!=f*o', ['foo', 'fuo', 'bar'], false],
  ['name==us', ['us-west'], false], ['name==us*', ['us-west'], true], ['name==*us*', ['eu, us'], true],
  ['name==/node\\d/', ['my node1 x'], true], ['name!=/node[12]/', ['node0'], true], ['name==/abcdef/', ['aBcDeF'], false], ['name==/(?i)abcdef/', ['aBcDeF'], true],
  ['name==node-[12]', ['node-1'], true], ['name==node-[12]', ['node-3'], false], ['name==a.c', ['abc'], true], ['name==a.c', ['ac'], false],
  ['name==*', [''], true], ['name!=*', [''], false], ['name==/', ['/'], true], ['name==//', ['anything'], true],
] as const) {
  test(`classic ${text} and ${JSON.stringify(values)}`, (t) => {
    t.is(patternMatch(parsed(text)).matches(values), is);
  });
}

for (const [text, value, is] of [
  ['node.hostname==foo', 'foo', true], ['node.hostname==foo', 'FOO', true], ['node.hostname==foo', 'fo', false], ['node.hostname==foo', 'fooE', false],
  ['node.hostname!=foo', 'fo', true], ['node.hostname!=foo', 'Foo', false], ['node.hostname==f*o', 'foo', false], ['node.hostname==f*o', 'F*o', true], ['node.hostname==f.-$o', 'fa-$o', false],
] as const) {
  test(`SwarmKit ${text} and ${value}`, (t) => {
    t.is(wholeMatch(parsed(text)).matches([value]), is);
  });
}

test('a key says whose language it is', (t) => {
  t.is(swarmKitKey('NODE.Platform.OS'), 'node.platform.os');
  t.deepEqual(swarmKitKey('Node.Labels.Rack'), { label: 'Rack', of: 'node' });
  t.deepEqual(swarmKitKey('engine.labels.a.b'), { label: 'a.b', of: 'engine' });
  t.is(swarmKitKey('node'), undefined);
  t.is(swarmKitKey('storage'), undefined);
  t.is(swarmKitKey('node.labels.'), undefined);
});

for (const [text, why] of [
  ['node.role==boss', 'manager or worker'], ['node.role!=Manager', undefined], ['node.ip==10.0.0.300', 'an address or a range'], ['node.ip!=10.0.0.0/8', undefined], ['node.ip==fe80::1', undefined],
  ['node.rack==a', 'must name one of node.id'], ['engine.version==1', 'must name one of'], ['node==/[/', 'glob or a /regular expression/'], ['node==(', 'glob or a /regular expression/'],
  ['node.labels.rack==/[/', undefined], ['name==/a{1,9999}/', 'regular expression'], ['name==/(?=a)/', 'regular expression'],
] as const) {
  test(`a constraint ${text} ${why === undefined ? 'can be kept' : 'is refused'}`, (t) => {
    const found = whyNotConstraint(parsed(text));
    if (why === undefined) t.is(found, undefined);
    else t.true(found?.includes(why), found);
  });
}

test('any text is an expression or is refused with a reason, and what was taken reads back the same', (t) => {
  const part = fc.string({ unit: fc.constantFrom(...'ab1_.-/~*=!? []()\\^$|é'), maxLength: 12 });
  fc.assert(fc.property(fc.tuple(part, fc.constantFrom('==', '!=', '=', ''), part), ([key, operator, value]) => {
    const found = parseExpression(key + operator + value);
    if (typeof found === 'string') return found.length > 0;
    const again = parseExpression(`${found.key}${found.operator}${found.soft ? '~' : ''}${found.value}`);
    return typeof again === 'object' && again.key === found.key && again.operator === found.operator && again.value === found.value && again.soft === found.soft;
  }), { seed: 4, numRuns: 500 });
  t.pass();
});

test('!= is the opposite of ==, a text is found by itself, and globs find what they are made of', (t) => {
  const word = fc.string({ unit: fc.constantFrom(...'ab-_:/ 9'), minLength: 1, maxLength: 8 }).filter((text) => text.trim() === text && !text.startsWith('/'));
  fc.assert(fc.property(word, fc.array(word, { maxLength: 4 }), word, (value, values, middle) => {
    const is = patternMatch({ operator: '==', value }).matches(values);
    return is === !patternMatch({ operator: '!=', value }).matches(values) && is === values.includes(value)
      && patternMatch({ operator: '==', value: `${value}*${value}` }).matches([value + middle + value])
      && wholeMatch({ operator: '==', value }).matches([value.toUpperCase()]);
  }), { seed: 5, numRuns: 300 });
  t.pass();
});

test('time is linear in the text, whatever the expression', (t) => {
  // A backtracking engine takes longer than the universe has.
  t.false(patternMatch({ operator: '==', value: '/^(a+)+$/' }).matches([`${'a'.repeat(2_000)}b`]));
});
