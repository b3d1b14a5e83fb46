import test from 'ava';
import { readDevices, validateDeviceAnnotations } from '../../schemas/devices.ts';
import { validateNewPod, validatePodStatus, validatePodUpdate } from '../../schemas/validation/pod.ts';
import { podOf } from '../kubelet-lite/views.ts';

const rows: readonly (readonly [text: string, devices: string])[] = [
  ['/dev/fuse', '/dev/fuse /dev/fuse rwm'],
  ['/dev/fuse:rw', '/dev/fuse /dev/fuse rw'],
  ['/dev/ttyUSB0:/dev/modem', '/dev/ttyUSB0 /dev/modem rwm'],
  ['/dev/ttyUSB0:/dev/modem:r', '/dev/ttyUSB0 /dev/modem r'],
  [' /dev/a , /dev/b:/dev/a2\n/dev/disk/by-id/c:mr\n', '/dev/a /dev/a rwm; /dev/b /dev/a2 rwm; /dev/disk/by-id/c /dev/disk/by-id/c mr'],
];

for (const [text, expected] of rows) {
  test(`devices: ${JSON.stringify(text)}`, (t) => {
    const read = readDevices(text);
    t.is(typeof read === 'string' ? read : read.map(({ hostPath, containerPath, permissions }) => `${hostPath} ${containerPath} ${permissions}`).join('; '), expected);
  });
}

const refusals: readonly (readonly [text: string, why: RegExp])[] = [
  ['', /^must name a device/],
  ['/etc/passwd', /^"\/etc\/passwd": the device must be a path below \/dev/],
  ['/dev/../etc/passwd', /without \. or \.\./],
  ['/dev/', /below \/dev/],
  ['dev/fuse', /below \/dev/],
  ['/dev/a:b', /the path in the container must be absolute/],
  ['/dev/a:/b/../c', /the path in the container must be absolute/],
  ['/dev/a:/dev/b:rwx', /^"\/dev\/a:\/dev\/b:rwx": must be HOST\[:CONTAINER\]\[:PERMISSIONS\]/],
  ['/dev/a:rr', /absolute/],
  ['/dev/a,/dev/b:/dev/a', /^\/dev\/a is given twice/],
  [Array.from({ length: 65 }, (_, index) => `/dev/a${index}`).join(','), /at most 64 devices/],
];

for (const [text, why] of refusals) {
  test(`no devices: ${JSON.stringify(text.slice(0, 40))}`, (t) => {
    const read = readDevices(text);
    t.regex(typeof read === 'string' ? read : 'was taken', why);
  });
}

const withDevices = (annotations: Record<string, string>) => podOf({ containers: [{ name: 'a', image: 'i', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }], restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' }, { metadata: { annotations } });
const told = (errors: readonly { readonly field: string; readonly message: string }[]) => errors.map(({ field, message }) => `${field}: ${message}`);

test('annotations must name a container, and stay as they are', (t) => {
  const pod = withDevices({ 'devices.barge.dev/a': '/dev/fuse' });
  t.deepEqual(told(validateNewPod(pod)), []);
  t.deepEqual(told(validateDeviceAnnotations({ 'devices.barge.dev/b': 'x' }, pod.spec, 'metadata.annotations')), [
    'metadata.annotations[devices.barge.dev/b]: Invalid value: "b": must be the name of a container or init container of the pod',
    'metadata.annotations[devices.barge.dev/b]: Invalid value: "x": "x": the device must be a path below /dev without . or .. (for example /dev/fuse)',
  ]);
  const stays = 'metadata.annotations: Forbidden: annotations below devices.barge.dev/ may not be added, changed or removed after the pod was made';
  for (const annotations of [{}, { 'devices.barge.dev/a': '/dev/kmsg' }, { 'devices.barge.dev/a': '/dev/fuse', 'devices.barge.dev/b': '/dev/fuse' }] as Record<string, string>[]) {
    t.deepEqual(told(validatePodUpdate(withDevices(annotations), pod)), [stays]);
    t.deepEqual(told(validatePodStatus(withDevices(annotations), pod)), [stays]);
  }
  t.deepEqual(told(validatePodUpdate(withDevices({ 'devices.barge.dev/a': '/dev/fuse', other: 'x' }), pod)), []);
});
