import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { deepEqual, draftOf } from '../../schemas/frozen.ts';
import { ControllerRevision } from '../../schemas/kinds/apps/controller-revision.ts';
import { StatefulSet } from '../../schemas/kinds/apps/stateful-set.ts';
import { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { labelMatcher } from '../../schemas/label-selector.ts';
import { controllerOf } from '../../schemas/owners.ts';
import { dependencyKinds, gate, waitMs } from '../dependencies/gate.ts';
import { unlessGone } from '../ensure.ts';
import { byController, claim } from '../ownership.ts';
import { behindMs, PodControl, type PodFailure, type PodOwner } from '../pod-control.ts';
import { dropSurplus, settleRevisions, templateOf } from '../revisions.ts';
import { ensureClaims, renewClaims, settleClaimOwners } from './claims.ts';
import { ordinalOf, statefulPod } from './identity.ts';
import { planStatefulSet, revisionOfPod, type StatefulSetStep } from './plan.ts';
import { statefulSetStatus } from './status.ts';

/** Another look at a set whose pod waits for a claim that is being deleted; the claim's own event normally comes first. */
const claimWaitMs = 5_000;

export const statefulSetController = (): Controller<StatefulSet> => {
  const control = new PodControl();

  const carryOut = async (owner: PodOwner & { readonly object: StatefulSet }, step: StatefulSetStep, revisions: readonly ControllerRevision[], context: ReconcileContext): Promise<PodFailure | 'wait' | undefined> => {
    const set = owner.object;
    if (step.do === 'delete') {
      if (step.why === 'ended') {
        context.events.event(set, 'Warning', 'RecreatingTerminatedPod', `StatefulSet ${set.metadata.namespace}/${set.metadata.name} is recreating terminated Pod ${step.pod.metadata.name}`);
      }
      return control.remove(owner, [step.pod], context);
    }
    if (await ensureClaims(set, step.ordinal, context) !== undefined) return 'wait';
    const revision = revisions.find(({ metadata }) => metadata.name === step.revision);
    const template = (revision === undefined ? undefined : templateOf(revision)) ?? set.spec.template;
    return control.create(owner, [statefulPod(set, { ordinal: step.ordinal, template, revision: step.revision })], context);
  };

  const reconcile = async (set: StatefulSet, context: ReconcileContext): Promise<{ afterMs: number } | undefined> => {
    const owner = { object: set, kind: StatefulSet, selector: labelMatcher(set.spec.selector) };
    const seen = await control.look(owner, context);
    if (seen === undefined) return { afterMs: behindMs };
    const { update, all } = await settleRevisions(set, StatefulSet, context);
    // Orphans are adopted by their name only: another pod that the selector fits has no number.
    const claimed = claim(set, owner.selector, seen.candidates.filter((pod) => ordinalOf(set, pod) !== undefined));
    await control.adopt(owner, claimed.adopt, context);
    await control.release(owner, claimed.release, context);
    const pods = [...claimed.keep, ...claimed.adopt];
    const updateName = update.metadata.name ?? '';
    const known = set.status?.currentRevision;
    const current = known !== undefined && all.some(({ metadata }) => metadata.name === known) ? known : updateName;
    const plan = planStatefulSet({ set, pods, leaving: seen.leaving, current, update: updateName, nowMs: context.clock.now() });
    await settleClaimOwners(set, pods, context);
    let failure: PodFailure | undefined;
    let waits = await renewClaims(set, pods, context);
    const waiting = pods.length > 0 || plan.steps.length === 0 ? undefined : gate('StatefulSet', set, context);
    for (const step of waiting === undefined ? plan.steps : []) {
      const outcome = await carryOut(owner, step, all, context);
      if (outcome === 'wait') waits = true;
      else failure ??= outcome;
    }
    const status = statefulSetStatus(set, pods.filter((pod) => !seen.leaving.has(pod.metadata.uid ?? '')), { current, update: updateName, waiting, nowMs: context.clock.now() });
    if (!deepEqual(status, set.status)) {
      await unlessGone(context.client.of(StatefulSet).modifyStatus(keyOf(set), (draft) => {
        if (draft.metadata.uid === set.metadata.uid) draft.status = draftOf(status);
      }, { hint: set }));
    }
    await dropSurplus(set, all, new Set([current, updateName, ...pods.map(revisionOfPod)]), context);
    if (failure !== undefined) throw failure.error;
    const afterMs = Math.min(plan.afterMs ?? Infinity, waits ? claimWaitMs : Infinity, waiting === undefined ? Infinity : waitMs);
    return afterMs === Infinity ? undefined : { afterMs };
  };

  return {
    name: 'statefulset-controller',
    reconciles: StatefulSet,
    owns: [Pod, ControllerRevision],
    reads: dependencyKinds,
    watches: [
      { kind: ControllerRevision, indexes: { controller: byController }, map: () => [] },
      {
        kind: Pod, indexes: { controller: byController },
        map: (pod: Pod, context) => (controllerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined
          ? context.informer(StatefulSet).list(pod.metadata.namespace).filter((set) => labelMatcher(set.spec.selector).matches(pod.metadata.labels) && ordinalOf(set, pod) !== undefined).map(keyOf) : []),
      },
      {
        kind: PersistentVolumeClaim,
        map: (claim: PersistentVolumeClaim, context) => context.informer(StatefulSet).list(claim.metadata.namespace)
          .filter(({ metadata, spec }) => (spec.volumeClaimTemplates ?? []).some((template) => claim.metadata.name?.startsWith(`${template.metadata.name}-${metadata.name}-`) === true)).map(keyOf),
      },
    ],
    reconcile: async (set, _key, context) => {
      if (set === undefined) return control.forgetGone(context.informer(StatefulSet).list());
      return set.metadata.deletionTimestamp === undefined ? reconcile(set, context) : undefined;
    },
  };
};
