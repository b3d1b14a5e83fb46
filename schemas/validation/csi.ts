/** Rules for CSI drivers: what they say of themselves, of nodes and of the room that they have. */
import { duplicate, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { CSIDriverSpec, TokenRequest } from '../kinds/storage/csi-driver.ts';
import type { CSINodeDriver, CSINodeSpec } from '../kinds/storage/csi-node.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotCsiDriverName, whyNotDnsSubdomain, whyNotQualifiedName } from '../names.ts';
import { parseQuantity } from '../quantity.ts';
import type { LabelSelector } from '../types/label-selector.ts';

/** Limits of Kubernetes: the shortest and longest life of a token and the shortest period, in seconds; the longest id of a node. */
const shortestTokenSeconds = 600;
const longestTokenSeconds = 2 ** 32;
const shortestPeriodSeconds = 10;
const maxNodeIdLength = 192;

const lifecycleModes = ['Ephemeral', 'Persistent'];

const validateTokens = (requests: readonly TokenRequest[], field: string): readonly FieldError[] =>
  requests.flatMap(({ audience, expirationSeconds: seconds }, index) => {
    const at = `${field}[${index}]`;
    if (requests.findIndex((other) => other.audience === audience) < index) return [duplicate(`${at}.audience`, audience)];
    if (seconds === undefined) return [];
    if (seconds < shortestTokenSeconds) return [wrong(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes')];
    return seconds > longestTokenSeconds ? [wrong(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds')] : [];
  });

/** Every wrong field of a driver; whether it attaches and what volumes it makes is said once. */
export const validateCsiDriver = (spec: CSIDriverSpec, old: CSIDriverSpec | undefined): readonly FieldError[] => {
  const { tokenRequests = [], volumeLifecycleModes = [], nodeAllocatableUpdatePeriodSeconds: period } = spec;
  const errors: FieldError[] = [
    ...validateTokens(tokenRequests, 'spec.tokenRequests'),
    ...volumeLifecycleModes.flatMap((mode, index) => (lifecycleModes.includes(mode) ? [] : [unsupported(`spec.volumeLifecycleModes[${index}]`, mode, lifecycleModes)])),
  ];
  if (period !== undefined && period < shortestPeriodSeconds) errors.push(wrong('spec.nodeAllocatableUpdatePeriodSeconds', period, `must be greater than or equal to ${shortestPeriodSeconds} seconds`));
  if (old === undefined) return errors;
  if (spec.attachRequired !== old.attachRequired) errors.push(wrong('spec.attachRequired', spec.attachRequired, 'field is immutable'));
  if (!deepEqual(volumeLifecycleModes, old.volumeLifecycleModes ?? [])) errors.push(wrong('spec.volumeLifecycleModes', volumeLifecycleModes, 'field is immutable'));
  return errors;
};

const validateNodeDriver = ({ name, nodeID, topologyKeys = [], allocatable }: CSINodeDriver, field: string): readonly FieldError[] => [
  ...(name === '' ? [required(`${field}.name`)] : refused(`${field}.name`, name, whyNotCsiDriverName(name))),
  ...(nodeID === '' ? [required(`${field}.nodeID`)] : []),
  ...(nodeID.length > maxNodeIdLength ? [wrong(`${field}.nodeID`, nodeID, `must be ${maxNodeIdLength} characters or less`)] : []),
  ...topologyKeys.flatMap((key, index) => {
    if (key === '') return [required(`${field}.topologyKeys`)];
    return topologyKeys.indexOf(key) < index ? [duplicate(`${field}.topologyKeys`, key)] : refused(`${field}.topologyKeys`, key, whyNotQualifiedName(key));
  }),
  ...((allocatable?.count ?? 0) < 0 ? [wrong(`${field}.allocatable.count`, allocatable?.count, 'must be greater than or equal to 0')] : []),
];

/** Every wrong driver of a node. A driver that stays keeps its id and topology; how many volumes it takes may change. */
export const validateCsiNode = ({ drivers }: CSINodeSpec, old: CSINodeSpec | undefined): readonly FieldError[] =>
  drivers.flatMap((driver, index) => {
    const at = `spec.drivers[${index}]`;
    const before = old?.drivers.find((one) => one.name === driver.name);
    const changed = before !== undefined && !deepEqual({ ...driver, allocatable: undefined }, { ...before, allocatable: undefined });
    return [...validateNodeDriver(driver, at), ...(changed ? [wrong(at, driver, 'field is immutable')] : [])];
  });

interface Capacity {
  readonly storageClassName: string;
  readonly capacity?: string | undefined;
  readonly maximumVolumeSize?: string | undefined;
  readonly nodeTopology?: LabelSelector | undefined;
}

const isNegative = (amount: string | undefined): boolean => (parseQuantity(amount ?? '')?.nano ?? 0n) < 0n;

/** Every wrong field of a report on room; where and of what class it speaks is said once. */
export const validateCsiStorageCapacity = (one: Capacity, old: Capacity | undefined): readonly FieldError[] => [
  ...refused('storageClassName', one.storageClassName, whyNotDnsSubdomain(one.storageClassName)),
  ...validateLabelSelector(one.nodeTopology, 'nodeTopology'),
  ...(['capacity', 'maximumVolumeSize'] as const).filter((name) => isNegative(one[name])).map((name) => wrong(name, one[name], 'must be greater than or equal to 0')),
  ...(old === undefined ? [] : (['nodeTopology', 'storageClassName'] as const)
    .filter((name) => !deepEqual(one[name], old[name])).map((name) => wrong(name, one[name] ?? null, 'field is immutable'))),
];
