import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CommandError, defineCommand, type CommandContext } from '../command.ts';
import { createGenerated, generatorFlags } from '../create-object.ts';
import { flag } from '../flags.ts';
import { manifest, oneName } from './plain.ts';

const sourceFlags = {
  'from-literal': flag.list('KEY=VALUE; may be given many times.', { value: 'KEY=VALUE' }),
  'from-file': flag.list('[KEY=]FILE or a folder, whose files become keys.', { value: '[KEY=]PATH' }),
  'from-env-file': flag.list('File of KEY=VALUE lines.', { value: 'FILE' }),
};

const keyRule = /^[-._a-zA-Z0-9]+$/;
const decoder = new TextDecoder('utf-8', { fatal: true });

type SourceContext = CommandContext<typeof generatorFlags & typeof sourceFlags>;

/** Keys and bytes of all --from flags. Throws CommandError for a key that is wrong or stands twice. */
const collect = async (context: SourceContext): Promise<ReadonlyMap<string, Buffer>> => {
  const { flags, cwd } = context;
  const found = new Map<string, Buffer>();
  const add = (key: string, bytes: Buffer): void => {
    if (!keyRule.test(key)) throw new CommandError(`"${key}" is not a valid key name: only letters, digits, '-', '_' and '.' are allowed`);
    if (found.has(key)) throw new CommandError(`cannot add key "${key}", another key by that name already exists in the data`);
    found.set(key, bytes);
  };
  for (const literal of flags['from-literal']) {
    const equals = literal.indexOf('=');
    if (equals < 1) throw new CommandError(`invalid literal source ${literal}, expected key=value`);
    add(literal.slice(0, equals), Buffer.from(literal.slice(equals + 1).replace(/^(["'])(.*)\1$/s, '$2')));
  }
  for (const source of flags['from-file']) {
    const equals = source.indexOf('=');
    const path = resolve(cwd, source.slice(equals + 1));
    const info = await stat(path).catch((error: Error) => {
      throw new CommandError(`error reading ${source.slice(equals + 1)}: ${error.message}`, { cause: error });
    });
    if (!info.isDirectory()) {
      add(equals === -1 ? basename(path) : source.slice(0, equals), await readFile(path));
      continue;
    }
    if (equals !== -1) throw new CommandError('cannot give a key name for a directory path');
    for (const entry of (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile())) add(entry.name, await readFile(join(path, entry.name)));
  }
  for (const file of flags['from-env-file']) {
    const lines = (await readFile(resolve(cwd, file), 'utf8')).split('\n');
    for (const [at, raw] of lines.entries()) {
      const line = raw.trim();
      if (line === '' || line.startsWith('#')) continue;
      const equals = line.indexOf('=');
      const key = equals === -1 ? line : line.slice(0, equals);
      if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key)) throw new CommandError(`${file}:${at + 1}: "${key}" is not a valid key name`);
      add(key, Buffer.from(equals === -1 ? (context.env[key] ?? '') : line.slice(equals + 1)));
    }
  }
  return found;
};

const base64 = (data: ReadonlyMap<string, Buffer>): Readonly<Record<string, string>> => Object.fromEntries([...data].map(([key, bytes]) => [key, bytes.toString('base64')]));

const textOf = (bytes: Buffer): string | undefined => {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
};

export const createConfigMap = defineCommand({
  name: 'configmap', group: 'Basic', summary: 'Create a config map from literals, files or folders.', usage: 'create configmap NAME [--from-literal=KEY=VALUE] [--from-file=[KEY=]FILE] [flags]',
  examples: [{ note: 'A value and a file', line: 'create configmap web --from-literal=mode=dark --from-file=nginx.conf' }],
  flags: { ...generatorFlags, ...sourceFlags },
  run: async (context) => {
    const entries = [...await collect(context)].map(([key, bytes]) => ({ key, bytes, text: textOf(bytes) }));
    const data = Object.fromEntries(entries.flatMap(({ key, text }) => (text === undefined ? [] : [[key, text]])));
    const binary = Object.fromEntries(entries.flatMap(({ key, bytes, text }) => (text === undefined ? [[key, bytes.toString('base64')]] : [])));
    return createGenerated(context, manifest('v1', 'ConfigMap', oneName(context.args), {
      ...(Object.keys(data).length === 0 ? {} : { data }), ...(Object.keys(binary).length === 0 ? {} : { binaryData: binary }),
    }));
  },
});

const generic = defineCommand({
  name: 'generic', group: 'Basic', summary: 'Create a secret from literals, files or folders.', usage: 'create secret generic NAME [--from-literal=KEY=VALUE] [--from-file=[KEY=]FILE] [flags]',
  flags: { ...generatorFlags, ...sourceFlags, type: flag.text('Type of the secret.', { value: 'TYPE' }) },
  run: async (context) => {
    const data = base64(await collect(context));
    const { type } = context.flags;
    return createGenerated(context, manifest('v1', 'Secret', oneName(context.args), {
      ...(Object.keys(data).length === 0 ? {} : { data }), ...(type === undefined ? {} : { type }),
    }));
  },
});

const tls = defineCommand({
  name: 'tls', group: 'Basic', summary: 'Create a secret with a certificate and its key.', usage: 'create secret tls NAME --cert=FILE --key=FILE [flags]',
  flags: { ...generatorFlags, cert: flag.text('PEM file of the certificate.', { value: 'FILE' }), key: flag.text('PEM file of its key.', { value: 'FILE' }) },
  run: async (context) => {
    const { cert, key } = context.flags;
    if (cert === undefined || key === undefined) throw new CommandError('key and cert must be specified');
    const [certPem, keyPem] = await Promise.all([cert, key].map((file) => readFile(resolve(context.cwd, file))));
    return createGenerated(context, manifest('v1', 'Secret', oneName(context.args), {
      type: 'kubernetes.io/tls', data: base64(new Map([['tls.crt', certPem!], ['tls.key', keyPem!]])),
    }));
  },
});

const dockerRegistry = defineCommand({
  name: 'docker-registry', group: 'Basic', summary: 'Create a secret with the credentials of an image registry.',
  usage: 'create secret docker-registry NAME --docker-username=USER --docker-password=PASSWORD [--docker-server=HOST] [flags]',
  flags: {
    ...generatorFlags,
    'docker-server': flag.textOr('https://index.docker.io/v1/', 'Registry.', { value: 'HOST' }),
    'docker-username': flag.text('User name.', { value: 'USER' }), 'docker-password': flag.text('Password.', { value: 'PASSWORD' }),
    'docker-email': flag.text('Mail address.', { value: 'MAIL' }), 'from-file': flag.list('[.dockerconfigjson=]FILE with credentials.', { value: 'FILE' }),
  },
  run: async (context) => {
    const { flags } = context;
    const name = oneName(context.args);
    const secret = (bytes: Buffer): Promise<number> => createGenerated(context, manifest('v1', 'Secret', name, {
      type: 'kubernetes.io/dockerconfigjson', data: base64(new Map([['.dockerconfigjson', bytes]])),
    }));
    const [file] = flags['from-file'];
    if (file !== undefined) return secret(await readFile(resolve(context.cwd, file.slice(file.indexOf('=') + 1))));
    const [username, password] = [flags['docker-username'], flags['docker-password']];
    if (username === undefined || password === undefined) throw new CommandError('either --from-file or the combination of --docker-username, --docker-password and --docker-server is required');
    const email = flags['docker-email'];
    const entry = { username, password, ...(email === undefined ? {} : { email }), auth: Buffer.from(`${username}:${password}`).toString('base64') };
    return secret(Buffer.from(JSON.stringify({ auths: { [flags['docker-server']]: entry } })));
  },
});

export const createSecret = defineCommand({
  name: 'secret', group: 'Basic', summary: 'Create a secret.', usage: 'create secret (generic | tls | docker-registry) NAME [flags]', flags: {},
  subcommands: { generic, tls, 'docker-registry': dockerRegistry },
  run: () => Promise.reject(new CommandError('say which sort of secret: generic, tls or docker-registry')),
});
