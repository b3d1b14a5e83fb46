import test from 'ava';
import { exposition } from '../../../base/metrics/exposition.ts';
import { maxChildren, Metrics } from '../../../base/metrics/metrics.ts';
import { addProcessMetrics } from '../../../base/metrics/process-metrics.ts';
import { parseExposition } from '../../helpers/exposition.ts';

const filled = (): Metrics => {
  const metrics = new Metrics();
  metrics.counter({ name: 'things_total', help: 'Things\nwith a \\ in them.', labels: ['what', 'how'] }).of('a "quoted"\\\nname', '').add(3);
  metrics.gauge({ name: 'depth', help: 'A depth.' }).of().set(-1.5);
  metrics.gauge({ name: 'nothing', help: 'Has no children.', labels: ['x'] });
  const histogram = metrics.histogram({ name: 'took_seconds', help: 'Times.', labels: ['verb'], bounds: [0.1, 1, 10] }).of('GET');
  for (const value of [0.05, 0.1, 0.5, 99]) histogram.observe(value);
  return metrics;
};

test('numbers are written as Prometheus reads them', (t) => {
  t.is(exposition(filled()), [
    '# HELP depth A depth.', '# TYPE depth gauge', 'depth -1.5',
    '# HELP things_total Things\\nwith a \\\\ in them.', '# TYPE things_total counter', 'things_total{what="a \\"quoted\\"\\\\\\nname",how=""} 3',
    '# HELP took_seconds Times.', '# TYPE took_seconds histogram',
    'took_seconds_bucket{verb="GET",le="0.1"} 2', 'took_seconds_bucket{verb="GET",le="1"} 3', 'took_seconds_bucket{verb="GET",le="10"} 3', 'took_seconds_bucket{verb="GET",le="+Inf"} 4',
    'took_seconds_sum{verb="GET"} 99.65', 'took_seconds_count{verb="GET"} 4', '',
  ].join('\n'));
});

test('a strict reader takes both formats', (t) => {
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const metrics = filled();
    addProcessMetrics(metrics);
    const families = parseExposition(exposition(metrics, format), format);
    const things = families.get(format === 'openmetrics' ? 'things' : 'things_total')!;
    t.deepEqual(things.samples, [{ name: 'things_total', labels: { what: 'a "quoted"\\\nname', how: '' }, value: 3 }]);
    t.true(families.get('process_resident_memory_bytes')!.samples[0]!.value > 1e7);
    t.true(families.get('process_start_time_seconds')!.samples[0]!.value > 1.5e9);
  }
  t.throws(() => parseExposition('x 1\n'), { message: /no HELP/ });
  t.throws(() => parseExposition('# HELP x y\n# TYPE x gauge\nx{a="1",} 1\n'), { message: /not a sample/ });
  t.throws(() => parseExposition('# HELP x y\n# TYPE x gauge\nx 1\nx 1\n'), { message: /twice/ });
});

test('label sets beyond the limit are counted together', (t) => {
  const family = new Metrics().counter({ name: 'many_total', help: 'Many.', labels: ['a', 'b'] });
  for (let index = 0; index < maxChildren + 50; index++) family.of(String(index), 'x').add();
  t.is(family.size, maxChildren + 1);
  t.is(family.of('other', 'other').value, 50);
  t.is(family.of('7', 'x').value, 1);
  t.throws(() => family.of('7'), { instanceOf: RangeError });
});

test('one name is one family, of one type', (t) => {
  const metrics = new Metrics();
  t.is(metrics.counter({ name: 'a_total', help: 'A.' }), metrics.counter({ name: 'a_total', help: 'A.' }));
  t.throws(() => metrics.gauge({ name: 'a_total', help: 'A.' }), { message: 'a_total is a counter' });
});
