/**
 * Devices of the node for a container, in the words of `docker run --device`: an annotation of the pod for each container,
 * `devices.barge.dev/CONTAINER: /dev/fuse,/dev/ttyUSB0:/dev/modem:rw`. Kubernetes has no field for them, and gives whole
 * machines (`privileged`) or what a plugin advertises.
 */
import { deepEqual } from './frozen.ts';
import { forbidden, refused, wrong, type FieldError } from './errors.ts';
import type { ObjectMeta } from './types/object-meta.ts';
import type { PodSpec } from './types/pod-spec.ts';

export const devicesPrefix = 'devices.barge.dev/';

/** Most devices of one container. */
const mostDevices = 64;

export interface Device {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Of r (read), w (write) and m (make the node of the device). */
  readonly permissions: string;
}

const isPermissions = (text: string): boolean => /^(?!.*(.).*\1)[rwm]{1,3}$/.test(text);

/** Absolute, of one spelling, and without what an engine would read as more of its own. */
const isPath = (text: string): boolean => /^(\/[^/:\p{Cc}]+)+$/u.test(text) && !text.split('/').some((part) => part === '.' || part === '..');

/** `HOST[:CONTAINER][:PERMISSIONS]`, or the reason why not. */
const readDevice = (text: string): Device | string => {
  const [hostPath = '', ...rest] = text.trim().split(':');
  const permissions = rest.length > 0 && isPermissions(rest.at(-1) ?? '') ? rest.pop() : undefined;
  const [containerPath = hostPath, ...more] = rest;
  if (more.length > 0) return 'must be HOST[:CONTAINER][:PERMISSIONS] with permissions of r, w and m (for example /dev/fuse or /dev/ttyUSB0:/dev/modem:rw)';
  if (!isPath(hostPath) || !hostPath.startsWith('/dev/')) return 'the device must be a path below /dev without . or .. (for example /dev/fuse)';
  if (!isPath(containerPath)) return 'the path in the container must be absolute and without . or .. (for example /dev/fuse)';
  return { hostPath, containerPath, permissions: permissions ?? 'rwm' };
};

/** The devices of an annotation, separated by commas or one a line; or the reason why it cannot be read. */
export const readDevices = (text: string): readonly Device[] | string => {
  const entries = text.split(/[,\n]/).filter((entry) => entry.trim() !== '');
  if (entries.length === 0) return 'must name a device (for example /dev/fuse)';
  if (entries.length > mostDevices) return `must have at most ${mostDevices} devices`;
  const devices: Device[] = [];
  for (const entry of entries) {
    const device = readDevice(entry);
    if (typeof device === 'string') return `${JSON.stringify(entry.trim().slice(0, 100))}: ${device}`;
    if (devices.some(({ containerPath }) => containerPath === device.containerPath)) return `${device.containerPath} is given twice`;
    devices.push(device);
  }
  return devices;
};

/** The annotations that give devices; undefined where there is none. */
export const deviceAnnotations = (annotations: ObjectMeta['annotations']): Readonly<Record<string, string>> | undefined => {
  let found: Record<string, string> | undefined;
  for (const key in annotations) if (key.startsWith(devicesPrefix)) (found ??= {})[key] = annotations[key]!;
  return found;
};

const none: readonly FieldError[] = Object.freeze([]);

/** Every annotation for devices of a new pod, or of a template, that cannot be read or names no container of it. */
export const validateDeviceAnnotations = (annotations: ObjectMeta['annotations'], { containers, initContainers = [] }: PodSpec, field: string): readonly FieldError[] => {
  const found = deviceAnnotations(annotations);
  return found === undefined ? none : Object.entries(found).flatMap(([key, text]) => {
    const name = key.slice(devicesPrefix.length);
    const read = readDevices(text);
    return [
      ...([...initContainers, ...containers].some((container) => container.name === name) ? [] : [wrong(`${field}[${key}]`, name, 'must be the name of a container or init container of the pod')]),
      ...(typeof read === 'string' ? refused(`${field}[${key}]`, text, read) : []),
    ];
  });
};

/** A pod keeps the devices with which it was made, so that nobody gets them past the checks of a new pod. */
export const validateDevicesUpdate = (annotations: ObjectMeta['annotations'], old: ObjectMeta['annotations'], field: string): readonly FieldError[] =>
  (annotations === old || deepEqual(deviceAnnotations(annotations), deviceAnnotations(old)) ? none : [forbidden(field, `annotations below ${devicesPrefix} may not be added, changed or removed after the pod was made`)]);
