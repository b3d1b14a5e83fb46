import test from 'ava';
import { pullAuths, type PullSecret } from '../../kubelet-lite/pull-secrets.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const json = (auths: object): PullSecret => ({ type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) } });
const legacy = (entries: object): PullSecret => ({ type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64(JSON.stringify(entries)) } });
const entry = (username: string): object => ({ username, password: 'p' });
const users = (image: string, ...secrets: readonly PullSecret[]): readonly string[] => pullAuths(image, secrets).map(({ username }) => username);

for (const [key, image, fits] of [
  ['https://index.docker.io/v1/', 'busybox', true], ['docker.io', 'library/busybox:1', true], ['index.docker.io', 'docker.io/team/app', true], ['registry-1.docker.io', 'team/app', true],
  ['docker.io', 'r.io/app', false], ['r.io', 'busybox', false], ['r.io', 'r.io/team/app:1', true], ['https://r.io', 'r.io/app', true], ['r.io/v2/', 'r.io/app', true], ['r.io/v1', 'r.io/app', true],
  ['r.io', 'r.io:5000/app', false], ['r.io:5000', 'r.io/app', false], ['r.io:5000', 'r.io:5000/app', true], ['localhost', 'localhost/app', true], ['localhost:5000', 'localhost:5000/app@sha256:0', true],
  ['r.io/team', 'r.io/team/app', true], ['r.io/team/', 'r.io/team/app', true], ['r.io/team/other', 'r.io/team/app', false],
  ['*.r.io', 'eu.r.io/app', true], ['*.r.io', 'r.io/app', false], ['*.r.io', 'a.b.r.io/app', false], ['eu-*.r.io/team', 'eu-1.r.io/team/app', true], ['*.*.r.io', 'a.b.r.io/app', true], ['r.*', 'rxio/app', false],
  ['r+.io', 'rr.io/app', false],
] as const) {
  test(`credentials of ${key} are ${fits ? '' : 'not '}for ${image}`, (t) => t.deepEqual(users(image, json({ [key]: entry('u') })), fits ? ['u'] : []));
}

test('the more a key says, the sooner it is tried; else as the secrets stand', (t) => {
  t.deepEqual(users('eu.r.io/team/app', json({ '*.r.io': entry('any'), 'eu.r.io': entry('host') }), legacy({ 'eu.r.io/team': entry('team'), 'eu.r.io': entry('second') })), ['team', 'host', 'second', 'any']);
});

test('user and password in either form; what is none of it gives none', (t) => {
  const auth = (entryOf: object): unknown => pullAuths('r.io/a', [json({ 'r.io': entryOf })])[0];
  t.deepEqual(auth({ auth: base64('u:p:q') }), { username: 'u', password: 'p:q', serverAddress: 'r.io' });
  t.deepEqual(auth({ username: 'a', password: 'b', auth: base64('c:d') }), { username: 'a', password: 'b', serverAddress: 'r.io' });
  for (const wrong of [{}, { auth: '' }, { auth: 7 }, { username: 'a' }]) t.is(auth(wrong), undefined);
  for (const secret of [{}, { type: 'Opaque', data: json({ 'r.io': entry('u') }).data }, { type: 'kubernetes.io/dockercfg', data: json({ 'r.io': entry('u') }).data },
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('no json') } }, { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('{"auths":[1]}') } }, json({ 'r.io': null })]) {
    t.deepEqual(pullAuths('r.io/a', [secret as PullSecret]), []);
  }
});
