// Swarm's language on pods and templates: what cannot be read is refused where it is written.
import test from 'ava';
import { ApiError } from '../../schemas/errors.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { CronJob } from '../../schemas/kinds/batch/cron-job.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { testApi } from '../helpers/api.ts';

const spec = { containers: [{ name: 'c', image: 'i' }] };
const annotated = (value: string) => ({ annotations: { 'swarm.barge.dev/constraints': value } });
const why = '"storage=ssd": must have one of the operators == and != (for example storage==ssd)';

test('a bad expression is a 422 that names the annotation and says what would be right', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  const created = await t.throwsAsync(() => api.client.of(Pod).create({ metadata: { name: 'p', namespace: 'default', ...annotated('storage=ssd') }, spec }), { instanceOf: ApiError });
  t.is(created.code, 422);
  t.is(created.message, `Pod "p" is invalid: metadata.annotations[swarm.barge.dev/constraints]: Invalid value: "storage=ssd": ${why}`);
  t.deepEqual(created.details?.causes?.map(({ field }) => field), ['metadata.annotations[swarm.barge.dev/constraints]']);

  const pods = api.client.of(Pod);
  const key = { namespace: 'default', name: 'p' };
  await pods.create({ metadata: { ...key, ...annotated('storage==ssd') }, spec });
  const changed = await t.throwsAsync(() => pods.modify(key, (draft) => void (draft.metadata.annotations = annotated('storage=ssd').annotations)), { instanceOf: ApiError });
  t.is(changed.code, 422);
  await pods.modify(key, (draft) => void (draft.metadata.annotations = annotated('node.labels.rack!=b').annotations));
});

test('in templates too', async (t) => {
  const api = await testApi();
  t.teardown(() => api.close());
  const template = { metadata: { labels: { a: 'b' }, ...annotated('storage=ssd') }, spec };
  const deployment = await t.throwsAsync(() => api.client.of(Deployment).create({ metadata: { name: 'd', namespace: 'default' }, spec: { selector: { matchLabels: { a: 'b' } }, template } }), { instanceOf: ApiError });
  t.deepEqual(deployment.details?.causes?.map(({ field }) => field), ['spec.template.metadata.annotations[swarm.barge.dev/constraints]']);
  const cronJob = await t.throwsAsync(() => api.client.of(CronJob).create({
    metadata: { name: 'c', namespace: 'default' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { ...template, spec: { ...spec, restartPolicy: 'Never' } } } } },
  }), { instanceOf: ApiError });
  t.deepEqual(cronJob.details?.causes?.map(({ field }) => field), ['spec.jobTemplate.spec.template.metadata.annotations[swarm.barge.dev/constraints]']);
});
