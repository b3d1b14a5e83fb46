import test from 'ava';
import * as fc from 'fast-check';
import { maxSurge, maxUnavailable, rollingBounds } from '../../controllers/deployment/bounds.ts';
import { planDeployment, type DeploymentPlan } from '../../controllers/deployment/plan.ts';
import { desiredReplicasAnnotation, maxReplicasAnnotation, revisionAnnotation, revisionHistoryAnnotation } from '../../controllers/deployment/revisions.ts';
import { scaledSizes, shrinkOld } from '../../controllers/deployment/sizes.ts';
import { sameTemplate, templateHash } from '../../controllers/deployment/template-hash.ts';
import type { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { at, deployment, replicaSet, startMs, template } from '../helpers/workloads.ts';

const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } }) as const;

for (const [surge, unavailable, replicas, expected] of [
  ['25%', '25%', 4, [1, 1]], ['25%', '25%', 3, [1, 0]], ['25%', '25%', 10, [3, 2]], ['25%', '25%', 1, [1, 0]],
  [1, 0, 3, [1, 0]], [0, 1, 3, [0, 1]], [0, 0, 3, [0, 1]], ['0%', '0%', 3, [0, 1]], ['0%', '10%', 3, [0, 1]], ['100%', '100%', 5, [5, 5]], ['1%', '0%', 5, [1, 0]],
] as const) {
  test(`bounds of ${surge}/${unavailable} of ${replicas}`, (t) => {
    const found = rollingBounds(deployment({ replicas, ...rolling(surge, unavailable) }));
    t.deepEqual([found.surge, found.unavailable], [...expected]);
  });
}

test('bounds: defaults, Recreate, and never more unavailable than there are', (t) => {
  t.is(maxSurge(deployment({ replicas: 4 })), 1);
  t.is(maxSurge(deployment({ replicas: 4, strategy: { type: 'Recreate' } })), 0);
  t.is(maxUnavailable(deployment({ replicas: 4, strategy: { type: 'Recreate' } })), 0);
  t.is(maxUnavailable(deployment({ replicas: 2, ...rolling(1, 5) })), 2);
});

test('the hash of a template is stable, safe, and blind to order and to its own label', (t) => {
  const one = { metadata: { labels: { a: '1', b: '2' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const same = { spec: { containers: [{ image: 'i', name: 'c' }] }, metadata: { labels: { b: '2', a: '1', 'pod-template-hash': 'x' } } };
  t.is(templateHash(one), templateHash(same));
  t.true(sameTemplate(one, same));
  t.regex(templateHash(one), /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  t.not(templateHash(one), templateHash(one, 1));
  t.not(templateHash(one), templateHash(template('other')));
  t.false(sameTemplate(one, template('i')));
  // Names of ReplicaSets that are stored must be found again by every later version.
  t.is(templateHash(template('v1')), '548df6b887');
});

/** A ReplicaSet as the controller would have it: sized when the Deployment had `desired` of `max`. */
const sized = (name: string, image: string, size: number, more: { available?: number; created?: number; revision?: number; desired?: number; max?: number; generation?: number; observed?: number } = {}): ReplicaSet =>
  replicaSet(name, { replicas: size, template: template(image) }, {
    metadata: {
      creationTimestamp: at(more.created ?? 0), generation: more.generation ?? 1,
      annotations: {
        ...(more.revision === undefined ? {} : { [revisionAnnotation]: String(more.revision) }),
        ...(more.desired === undefined ? {} : { [desiredReplicasAnnotation]: String(more.desired), [maxReplicasAnnotation]: String(more.max ?? more.desired) }),
      },
    },
    status: { replicas: size, readyReplicas: more.available ?? size, availableReplicas: more.available ?? size, observedGeneration: more.observed ?? 1 },
  });

for (const [what, replicas, bounds, available, olds, expected] of [
  ['nothing may go while the new ones are not available', 3, rolling(1, 0), 0, [sized('a', 'a', 3)], {}],
  ['one goes for each new one that is available', 3, rolling(1, 0), 1, [sized('a', 'a', 3)], { a: 2 }],
  ['unavailability that is allowed is used at once', 4, rolling(0, 1), 0, [sized('a', 'a', 4)], { a: 3 }],
  ['unhealthy old pods go first, over all old ones', 4, rolling(1, 1), 0, [sized('a', 'a', 2), sized('b', 'b', 2, { available: 0, created: 5 })], { b: 1 }],
  ['the oldest goes first', 4, rolling(2, 2), 0, [sized('b', 'b', 2, { created: 5 }), sized('a', 'a', 2)], { a: 0 }],
  ['both steps at once: unhealthy and spare', 10, rolling(0, 3), 2, [sized('a', 'a', 6, { available: 5 }), sized('b', 'b', 3)], { a: 2 }],
  ['a status from before the resize counts for nothing', 3, rolling(1, 0), 1, [sized('a', 'a', 3, { generation: 2, observed: 1 })], {}],
] as const) {
  test(`old ReplicaSets: ${what}`, (t) => {
    t.deepEqual(Object.fromEntries(shrinkOld(deployment({ replicas, ...bounds }), available, olds)), { ...expected });
  });
}

for (const [what, wanted, newest, olds, expected] of [
  ['one alone takes it all', 10, sized('n', 'v1', 5, { desired: 5, max: 6 }), [], { n: 10 }],
  ['one old alone takes it all', 2, undefined, [sized('a', 'a', 5)], { a: 2 }],
  ['the newest of empty ones is filled', 4, undefined, [sized('a', 'a', 0), sized('b', 'b', 0, { created: 9 })], { b: 4 }],
  ['a change is shared by size', 15, sized('n', 'v1', 5, { desired: 10, max: 13 }), [sized('a', 'a', 8, { desired: 10, max: 13 })], { n: 7, a: 12 }],
  ['and so is a cut', 5, sized('n', 'v1', 5, { desired: 10, max: 13 }), [sized('a', 'a', 8, { desired: 10, max: 13 })], { n: 3, a: 4 }],
  ['to nothing', 0, sized('n', 'v1', 5, { desired: 10, max: 13 }), [sized('a', 'a', 8, { desired: 10, max: 13 })], { n: 0, a: 0 }],
  ['old ones go when the new one has all', 5, sized('n', 'v1', 5, { desired: 5, max: 7 }), [sized('a', 'a', 2, { desired: 5, max: 7 })], { a: 0 }],
] as const) {
  test(`scaling: ${what}`, (t) => {
    const found = scaledSizes(deployment({ replicas: wanted, ...rolling('25%', '25%'), template: template('v1') }), newest, olds);
    t.deepEqual(Object.fromEntries(found), { ...expected });
  });
}

test('scaling in proportion never misses the size that is allowed', (t) => {
  const sizes = fc.array(fc.record({ size: fc.integer({ min: 1, max: 30 }), created: fc.nat(50) }), { minLength: 2, maxLength: 5 });
  fc.assert(fc.property(sizes, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 60 }), (given, replicas, before) => {
    const all = given.map(({ size, created }, index) => sized(`r${index}`, `i${index}`, size, { created, desired: before, max: before + 2, available: 0 }));
    const changed = scaledSizes(deployment({ replicas, ...rolling(2, 0) }), all[0], all.slice(1));
    const total = all.reduce((sum, one) => sum + (changed.get(one.metadata.name!) ?? one.spec.replicas!), 0);
    t.true([...changed.values()].every((size) => size >= 0));
    t.is(total, replicas === 0 ? 0 : replicas + 2);
  }), { numRuns: 200 });
});

const plan = (deployed: Deployment, replicaSets: readonly ReplicaSet[], nowSeconds = 0, hasPods: (one: ReplicaSet) => boolean = () => false): DeploymentPlan =>
  planDeployment({ deployment: deployed, replicaSets, hasPods, podsOf: () => [], nowMs: startMs + nowSeconds * 1000 });

/** Steps in short. */
const told = ({ steps }: DeploymentPlan): readonly string[] => steps.map((step) => {
  switch (step.do) {
    case 'create': return `create ${step.size}`;
    case 'delete': return `delete ${step.replicaSet.metadata.name}`;
    case 'revision': return `revision ${step.revision}`;
    case 'rollback': return `rollback ${step.from} to ${step.to.metadata.name}`;
    case 'pause': case 'resume': return `${step.do} ${step.at}`;
    case 'change': return `${step.replicaSet.metadata.name}:${step.to.size ?? '='}${step.to.annotations?.[revisionAnnotation] === undefined ? '' : ` r${step.to.annotations[revisionAnnotation]}`}`;
  }
});

const progress = (found: DeploymentPlan): string | undefined => found.status.conditions?.find((one) => one.type === 'Progressing')?.reason;

test('a new Deployment makes its ReplicaSet as kubectl knows it', (t) => {
  const found = plan(deployment({}, { metadata: { annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } } }), []);
  t.deepEqual(told(found), ['create 3', 'revision 1']);
  const made = found.steps[0]?.do === 'create' ? found.steps[0].replicaSet : undefined;
  const hash = templateHash(template('v1'));
  t.is(made?.metadata.name, `web-${hash}`);
  t.deepEqual(made?.metadata.labels, { app: 'web', 'pod-template-hash': hash });
  t.deepEqual(made?.spec.selector, { matchLabels: { app: 'web', 'pod-template-hash': hash } });
  t.deepEqual(made?.spec.template.metadata?.labels, { app: 'web', 'pod-template-hash': hash });
  t.deepEqual(made?.metadata.annotations, { note: 'x', [revisionAnnotation]: '1', [desiredReplicasAnnotation]: '3', [maxReplicasAnnotation]: '4' });
  t.deepEqual(made?.metadata.ownerReferences, [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'uid-web', controller: true, blockOwnerDeletion: true }]);
  t.is(progress(found), 'NewReplicaSetCreated');
  t.is(found.afterMs, 600_000);
});

test('a rollout goes up first, then down', (t) => {
  const web = deployment({ ...rolling(1, 1), template: template('v2') }, { metadata: { annotations: { [revisionAnnotation]: '1' } } });
  t.deepEqual(told(plan(web, [sized('a', 'v1', 3, { revision: 1, desired: 3, max: 4 })])), ['create 1', 'a:2', 'revision 2']);
});

test('going back to an earlier template takes its ReplicaSet and renumbers it', (t) => {
  const web = deployment({ ...rolling(1, 0) }, {
    metadata: { annotations: { [revisionAnnotation]: '2' } },
    status: { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, conditions: [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', lastUpdateTime: at(-5000) }] },
  });
  const first = sized('a', 'v1', 0, { revision: 1, desired: 3, max: 4 });
  const found = plan(web, [first, sized('b', 'v2', 3, { revision: 2, created: 5, desired: 3, max: 4 })]);
  t.deepEqual(told(found), ['a:1 r3', 'revision 3']);
  t.is(progress(found), 'FoundNewReplicaSet');
  const step = found.steps[0];
  t.is(step?.do === 'change' ? step.to.annotations?.[revisionHistoryAnnotation] : undefined, '1');
});

test('a template that changes in mid-rollout makes the newest one an old one', (t) => {
  const web = deployment({ replicas: 4, ...rolling(1, 1), template: template('v3') });
  const found = plan(web, [sized('a', 'v1', 3, { revision: 1, desired: 4, max: 5 }), sized('b', 'v2', 2, { revision: 2, created: 5, available: 0, desired: 4, max: 5 })]);
  t.deepEqual(told(found), ['create 0', 'b:0', 'revision 3'], 'the pods that are not available go first');
});

test('Recreate: old pods first, and all of them', (t) => {
  const web = deployment({ strategy: { type: 'Recreate' }, template: template('v2') });
  const old = sized('a', 'v1', 3, { revision: 1, desired: 3, max: 3 });
  t.deepEqual(told(plan(web, [old], 0, () => true)), ['a:0']);
  const empty = { ...sized('a', 'v1', 0, { revision: 1 }) };
  t.deepEqual(told(plan(web, [empty], 0, () => true)), [], 'a pod that is still stopping holds it up');
  t.deepEqual(told(plan(web, [empty])), ['create 3', 'revision 2']);
});

test('paused: nothing new is rolled out, but it scales and says so', (t) => {
  const web = deployment({ paused: true, replicas: 5, template: template('v2') }, { metadata: { annotations: { [revisionAnnotation]: '1' } } });
  const found = plan(web, [sized('a', 'v1', 3, { revision: 1, desired: 3, max: 4 })]);
  t.deepEqual(told(found), ['a:5 r1']);
  t.is(progress(found), 'DeploymentPaused');
  t.is(found.afterMs, undefined, 'no deadline runs');
  const resumed = plan(deployment({ replicas: 5, template: template('v2') }, { status: found.status }), [sized('a', 'v1', 5, { revision: 1, desired: 5, max: 7 })], 10_000);
  t.true(told(resumed)[0]?.startsWith('create'));
});

test('history beyond the limit goes when the rollout is complete, lowest revision first', (t) => {
  const web = deployment({ revisionHistoryLimit: 1, template: template('v4') }, { metadata: { annotations: { [revisionAnnotation]: '4' } } });
  const all = [
    sized('a', 'v1', 0, { revision: 3 }), sized('b', 'v2', 0, { revision: 1 }), sized('c', 'v3', 0, { revision: 2, generation: 2, observed: 1 }),
    sized('d', 'v4', 3, { revision: 4, desired: 3, max: 4 }),
  ];
  t.deepEqual(told(plan(web, all)), ['delete b'], 'c has not been observed since it was emptied');
  t.deepEqual(told(plan(deployment({ ...web.spec, revisionHistoryLimit: 0 }, { metadata: web.metadata }), all)), ['delete b', 'delete a']);
});

test('conditions and numbers through a rollout', (t) => {
  const spec = { ...rolling(1, 0), template: template('v1') };
  const first = plan(deployment(spec), []);
  t.like(first.status, { observedGeneration: 1, unavailableReplicas: 3 });
  const made = sized('n', 'v1', 3, { revision: 1, available: 0, desired: 3, max: 4 });
  const running = plan(deployment(spec, { status: first.status }), [made], 5);
  t.is(progress(running), 'ReplicaSetUpdated');
  t.is(running.status.conditions?.find((one) => one.type === 'Available')?.reason, 'MinimumReplicasUnavailable');
  const done = plan(deployment(spec, { status: running.status }), [sized('n', 'v1', 3, { revision: 1, desired: 3, max: 4 })], 9);
  t.like(done.status, { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 });
  t.false('unavailableReplicas' in done.status);
  t.deepEqual(done.status.conditions?.map(({ type, status, reason, lastUpdateTime, lastTransitionTime }) => [type, status, reason, lastUpdateTime, lastTransitionTime]), [
    ['Progressing', 'True', 'NewReplicaSetAvailable', at(9), at(0)],
    ['Available', 'True', 'MinimumReplicasAvailable', at(9), at(9)],
  ]);
  t.is(done.afterMs, undefined);
});

test('the progress deadline passes when nothing moves, and only then', (t) => {
  const spec = { ...rolling(1, 0), progressDeadlineSeconds: 60 };
  const started = plan(deployment(spec), []);
  const stuck = sized('n', 'v1', 3, { revision: 1, available: 0, desired: 3, max: 4 });
  const moved = plan(deployment(spec, { status: started.status }), [stuck], 10);
  t.is(moved.afterMs, 60_000);
  t.is(progress(plan(deployment(spec, { status: moved.status }), [stuck], 69)), 'ReplicaSetUpdated');
  const over = plan(deployment(spec, { status: moved.status }), [stuck], 70);
  t.is(progress(over), 'ProgressDeadlineExceeded');
  t.is(over.status.conditions?.find((one) => one.type === 'Progressing')?.status, 'False');
  const healed = plan(deployment(spec, { status: over.status }), [sized('n', 'v1', 3, { revision: 1, desired: 3, max: 4 })], 200);
  t.is(progress(healed), 'NewReplicaSetAvailable');
  const later = plan(deployment(spec, { status: healed.status }), [sized('n', 'v1', 3, { revision: 1, available: 1, desired: 3, max: 4 })], 900);
  t.is(progress(later), 'NewReplicaSetAvailable', 'a pod that fails after the rollout is no failure of the rollout');
});

test('what a ReplicaSet complains of is passed on, and taken back', (t) => {
  const refused = replicaSet('n', { template: template('v1') }, { status: { replicas: 0, conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }] } });
  const found = plan(deployment(), [refused]);
  t.like(found.status.conditions?.find((one) => one.type === 'ReplicaFailure'), { status: 'True', reason: 'FailedCreate', message: 'quota' });
  t.is(plan(deployment({}, { status: found.status }), [sized('n', 'v1', 3)]).status.conditions?.find((one) => one.type === 'ReplicaFailure'), undefined);
});

test('a Deployment that is being deleted changes nothing', (t) => {
  t.deepEqual(plan(deployment({ template: template('v2') }, { metadata: { deletionTimestamp: at(1) } }), [sized('a', 'v1', 3)]).steps, []);
});

// A model of the world around the controller: ReplicaSets whose pods and status lag behind as they like.

interface Model {
  deployed: Deployment;
  sets: { object: ReplicaSet; available: number; waiting: number }[];
  clock: number;
}

const apply = (model: Model, found: DeploymentPlan, most: number): void => {
  for (const step of found.steps.slice(0, most)) {
    if (step.do === 'create') {
      const name = step.replicaSet.metadata.name!;
      const object: ReplicaSet = { ...step.replicaSet, apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { ...step.replicaSet.metadata, uid: name, generation: 1, creationTimestamp: at(model.clock) }, status: { replicas: 0 } };
      model.sets.push({ object, available: 0, waiting: 0 });
    } else if (step.do === 'change') {
      const set = model.sets.find(({ object }) => object.metadata.name === step.replicaSet.metadata.name)!;
      const { metadata, spec } = set.object;
      const replicas = step.to.size ?? spec.replicas!;
      set.object = {
        ...set.object,
        metadata: { ...metadata, annotations: { ...metadata.annotations, ...step.to.annotations }, generation: metadata.generation! + (replicas === spec.replicas ? 0 : 1) },
        spec: { ...spec, replicas },
      };
    } else if (step.do === 'delete') {
      model.sets = model.sets.filter(({ object }) => object.metadata.name !== step.replicaSet.metadata.name);
    } else if (step.do === 'revision') {
      model.deployed = { ...model.deployed, metadata: { ...model.deployed.metadata, annotations: { ...model.deployed.metadata.annotations, [revisionAnnotation]: step.revision } } };
    }
  }
  if (most >= found.steps.length) model.deployed = { ...model.deployed, status: found.status };
};

/** The ReplicaSet's controller: pods as asked, those that are not available go first. */
const syncPods = (set: Model['sets'][number]): void => {
  const replicas = set.object.spec.replicas!;
  const over = set.available + set.waiting - replicas;
  if (over < 0) set.waiting -= over;
  const waiting = Math.min(set.waiting, Math.max(0, over));
  set.waiting -= waiting;
  set.available -= Math.max(0, over - waiting);
};

const syncStatus = (set: Model['sets'][number]): void => {
  // A status tells of the size that its writer saw; it is written after the pods were made right for it.
  syncPods(set);
  const { available, waiting, object } = set;
  set.object = { ...object, status: { replicas: available + waiting, readyReplicas: available, availableReplicas: available, observedGeneration: object.metadata.generation! } };
};

const settleModel = (model: Model): number => {
  for (let round = 1; round < 200; round++) {
    const found = planDeployment({ deployment: model.deployed, replicaSets: model.sets.map(({ object }) => object), hasPods: (one) => model.sets.some(({ object, available, waiting }) => object.metadata.uid === one.metadata.uid && available + waiting > 0), podsOf: () => [], nowMs: startMs + model.clock * 1000 });
    const isStill = found.steps.length === 0 && model.sets.every(({ object, available, waiting }) =>
      available === object.spec.replicas && waiting === 0 && object.status?.availableReplicas === available && object.status.observedGeneration === object.metadata.generation);
    if (isStill) return round;
    apply(model, found, Infinity);
    for (const set of model.sets) {
      syncPods(set);
      set.available += set.waiting;
      set.waiting = 0;
      syncStatus(set);
    }
    model.clock++;
  }
  throw new Error('it never comes to rest');
};

const move = fc.oneof(
  fc.record({ do: fc.constant('plan' as const), most: fc.oneof(fc.constant(9), fc.integer({ min: 0, max: 3 })) }),
  fc.record({ do: fc.constantFrom('pods' as const, 'status' as const, 'ready' as const), set: fc.nat(4) }),
  fc.record({ do: fc.constant('template' as const), image: fc.integer({ min: 1, max: 3 }) }),
);

test('in any interleaving: never above maxSurge, never below maxUnavailable, and it comes to rest', (t) => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.array(move, { maxLength: 60 }),
    (replicas, surge, unavailable, moves) => {
      const model: Model = { deployed: deployment({ replicas, ...rolling(surge, unavailable), template: template('v1') }), sets: [], clock: 0 };
      settleModel(model);
      const most = replicas + maxSurge(model.deployed);
      const least = replicas - maxUnavailable(model.deployed);
      const check = (): void => {
        const asked = model.sets.reduce((sum, { object }) => sum + object.spec.replicas!, 0);
        const available = model.sets.reduce((sum, one) => sum + one.available, 0);
        const present = model.sets.reduce((sum, one) => sum + one.available + one.waiting, 0);
        if (asked > most || present > most) throw new Error(`asked for ${asked} and there are ${present} of at most ${most}`);
        if (available < least) throw new Error(`${available} available, at least ${least} should be`);
      };
      for (const one of moves) {
        const set = 'set' in one ? model.sets[one.set % model.sets.length] : undefined;
        if (one.do === 'plan') {
          const found = planDeployment({ deployment: model.deployed, replicaSets: model.sets.map(({ object }) => object), hasPods: () => true, podsOf: () => [], nowMs: startMs + model.clock++ * 1000 });
          apply(model, found, one.most);
        } else if (one.do === 'template') model.deployed = { ...model.deployed, spec: { ...model.deployed.spec, template: template(`v${one.image}`) } };
        else if (one.do === 'pods') syncPods(set!);
        else if (one.do === 'status') syncStatus(set!);
        else if (set!.waiting > 0) {
          set!.waiting--;
          set!.available++;
        }
        check();
      }
      settleModel(model);
      check();
      const newest = model.sets.filter(({ object }) => object.spec.replicas! > 0);
      t.is(newest.length, 1);
      t.true(sameTemplate(newest[0]!.object.spec.template, model.deployed.spec.template));
      t.is(newest[0]!.available, replicas);
    },
  ), { numRuns: 300 });
});

test('a Deployment of any history comes to rest after it is scaled, paused and resumed', (t) => {
  const change = fc.record({ replicas: fc.integer({ min: 0, max: 9 }), paused: fc.boolean(), image: fc.integer({ min: 1, max: 4 }), recreate: fc.boolean(), most: fc.integer({ min: 0, max: 9 }) });
  fc.assert(fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
    const model: Model = { deployed: deployment({ replicas: 2, revisionHistoryLimit: 2 }), sets: [], clock: 0 };
    for (const { most, image, recreate, replicas, paused } of changes) {
      const strategy = recreate ? { type: 'Recreate' as const } : rolling('30%', '30%').strategy;
      model.deployed = { ...model.deployed, spec: { ...model.deployed.spec, replicas, paused, strategy, template: template(`v${image}`) } };
      apply(model, planDeployment({ deployment: model.deployed, replicaSets: model.sets.map(({ object }) => object), hasPods: () => true, podsOf: () => [], nowMs: startMs }), most);
      for (const set of model.sets) syncPods(set);
    }
    model.deployed = { ...model.deployed, spec: { ...model.deployed.spec, paused: false } };
    settleModel(model);
    const newest = model.sets.find(({ object }) => sameTemplate(object.spec.template, model.deployed.spec.template));
    t.is(newest?.available, model.deployed.spec.replicas);
    t.is(newest?.object.metadata.annotations?.[revisionAnnotation], model.deployed.metadata.annotations?.[revisionAnnotation]);
    t.true(model.sets.length <= 3, 'history is cut to the limit');
  }), { numRuns: 200 });
});
