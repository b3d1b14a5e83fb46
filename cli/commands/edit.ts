import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, isReason } from '../../schemas/errors.ts';
import { deepEqual } from '../../schemas/frozen.ts';
import type { ApiObject } from '../../schemas/kind.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand, type World } from '../command.ts';
import { failureLine } from '../errors.ts';
import { flag } from '../flags.ts';
import { ManifestError, parseYaml } from '../manifest-yaml.ts';
import { OpenApiReader } from '../openapi.ts';
import { prettyJson } from '../../schemas/print-json.ts';
import { toYaml } from '../print-yaml.ts';
import { Report } from '../report.ts';
import { fileFlags, placeOf, select, selectorFlags } from '../selection.ts';
import { withSession } from '../session.ts';
import { threeWayPatch } from '../three-way.ts';

type Json = Readonly<Record<string, unknown>>;

const header = [
  'Please edit the object below. Lines beginning with a \'#\' will be ignored,', 'and an empty file will abort the edit. If an error occurs while saving this file will be',
  'reopened with the relevant failures.', '',
];

const commented = (lines: readonly string[]): string => lines.map((line) => `# ${line}`.trimEnd()).join('\n');

/** Runs the user's editor on a file, in the user's terminal. */
const runEditor = (editor: string, file: string, env: World['env']): Promise<void> => new Promise((resolve, reject) => {
  const child = spawn('/bin/sh', ['-c', `${editor} "$0"`, file], { stdio: 'inherit', env: env as NodeJS.ProcessEnv });
  child.on('error', reject);
  child.on('exit', (code) => (code === 0 ? resolve() : reject(new CommandError(`there was a problem with the editor "${editor}"`))));
});

const withoutManagedFields = (object: ApiObject): ApiObject => {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};

/** Text without its comments; empty when the user wants to give up. */
const content = (text: string): string => text.split('\n').filter((line) => !line.startsWith('#')).join('\n').trim();

export const command = defineCommand({
  name: 'edit', group: 'Advanced', summary: 'Change objects in your editor.', usage: 'edit (TYPE NAME... | TYPE/NAME... | -f FILE) [flags]',
  description: 'Opens the object in $KUBE_EDITOR, $EDITOR or vi. What cannot be saved is opened again, with what is wrong in comments above.',
  examples: [{ note: 'A deployment', line: 'edit deployment/web' }],
  flags: {
    ...clusterFlags, ...fileFlags, ...selectorFlags, output: flag.oneOf(['yaml', 'json'], 'How the object is shown.', { short: 'o', initial: 'yaml' }),
    'field-manager': flag.textOr('kubectl-edit', 'Name under which the server notes who set which fields.', { value: 'NAME' }),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, signal, env } = context;
    const editor = env['KUBE_EDITOR'] ?? env['EDITOR'] ?? 'vi';
    const report = await Report.open(context, { output: undefined });
    const openApi = new OpenApiReader(session.api, signal);
    const folder = await mkdtemp(join(env['TMPDIR'] ?? tmpdir(), 'barge-edit-'));
    let failed = false;
    try {
      for (const selected of await select(session, context, { args: context.args, filenames: flags.filename, recursive: flags.recursive, selector: flags.selector })) {
        const file = join(folder, `${selected.resource.plural}-${selected.name}.${flags.output === 'json' ? 'json' : 'yaml'}`);
        let original = withoutManagedFields(await session.api.get(placeOf(selected), signal));
        let body = flags.output === 'json' ? prettyJson(original) : toYaml(original);
        let why: readonly string[] = [];
        for (;;) {
          await writeFile(file, `${commented([...header, ...why])}\n#\n${body}`, { mode: 0o600 });
          const before = await readFile(file, 'utf8');
          await runEditor(editor, file, env);
          const after = await readFile(file, 'utf8');
          if (content(after) === '' || (after === before && why.length === 0)) {
            context.stderr.write(content(after) === '' ? 'Edit cancelled, saved file was empty.\n' : 'Edit cancelled, no changes made.\n');
            break;
          }
          if (after === before) {
            // The second look at the same mistake: what was written is kept for the user.
            const kept = join(env['TMPDIR'] ?? tmpdir(), `barge-edit-${selected.resource.plural}-${selected.name}-${context.clock.now()}.yaml`);
            await writeFile(kept, after, { mode: 0o600 });
            context.stderr.write(`${why.join('\n')}\nA copy of your changes has been stored to "${kept}"\n`);
            failed = true;
            break;
          }
          body = `${after.split('\n').filter((line) => !line.startsWith('#')).join('\n').trim()}\n`;
          try {
            const [document, ...more] = parseYaml(body, file);
            if (document === undefined || more.length > 0) throw new ManifestError('the file must hold one object');
            const edited = document.value as ApiObject;
            if (deepEqual(edited, original)) {
              context.stderr.write('Edit cancelled, no changes made.\n');
              break;
            }
            if (edited.metadata?.name !== original.metadata.name || edited.kind !== original.kind) throw new ManifestError('the name and kind of an object cannot be changed');
            const schemas = await openApi.of(selected.resource);
            const root = schemas?.takesStrategicPatch(selected.resource) === true ? schemas.ofKind(selected.resource) : undefined;
            const patch = threeWayPatch({
              original: original as unknown as Json, modified: edited as unknown as Json, current: original as unknown as Json,
              schema: root === undefined || schemas === undefined ? undefined : { root, openApi: schemas },
            });
            const changed = await session.api.send({
              ...placeOf(selected), verb: 'patch', patchType: root === undefined ? 'merge' : 'strategic', body: patch ?? {},
              options: { fieldManager: flags['field-manager'], fieldValidation: 'Strict' },
            }, signal) as ApiObject;
            report.done(selected.resource, changed, 'edited');
            break;
          } catch (error) {
            if (!(error instanceof ManifestError) && !isReason(error, 'Invalid', 'Conflict', 'BadRequest')) throw error;
            why = [`${selected.resource.plural} "${selected.name}" was not valid:`, ...failureLine(error).split('\n').map((line) => `* ${line}`), ''];
            if (error instanceof ApiError && error.reason === 'Conflict') original = withoutManagedFields(await session.api.get(placeOf(selected), signal));
          }
        }
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return failed ? 1 : report.end();
  }),
});
