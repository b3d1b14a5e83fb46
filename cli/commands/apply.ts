import { applyObject, applyOnServer } from '../apply.ts';
import { changeFlags, dryRunSuffix, validateFlag, writeOptions } from '../change-flags.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import { ApiError } from '../../schemas/errors.ts';
import { flag } from '../flags.ts';
import { readManifests } from '../manifest.ts';
import { resourceOfManifest, type PlacedManifest } from '../manifest-resource.ts';
import { OpenApiReader } from '../openapi.ts';
import { outputFlags } from '../output.ts';
import { Report } from '../report.ts';
import { fileFlags } from '../selection.ts';
import { withSession } from '../session.ts';

const flags = {
  ...clusterFlags, ...fileFlags, ...changeFlags, ...outputFlags, validate: validateFlag,
  'server-side': flag.on('Let the server merge and track who owns which field.'),
  'force-conflicts': flag.on('With --server-side: take fields over that others own.'),
};

export const command = defineCommand({
  name: 'apply', group: 'Basic', summary: 'Create objects, or bring them to what manifests say.',
  usage: 'apply -f FILE [flags]',
  description: 'Creates the objects of files, folders, URLs or standard input, or changes those that exist to what the manifests say.\nFields that others set stay; fields that an earlier apply set and that are gone from the manifest are removed.',
  examples: [
    { note: 'One file', line: 'apply -f web.yaml' },
    { note: 'All manifests below a folder', line: 'apply -R -f deploy/' },
    { note: 'What another program prints', line: 'apply -f -' },
    { note: 'See whether the server would take it', line: 'apply -f web.yaml --dry-run=server' },
  ],
  flags,
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags } = context;
    if (flags.filename.length === 0) throw new CommandError('must specify one of -f and -k');
    if (flags['force-conflicts'] && !flags['server-side']) throw new CommandError('--force-conflicts only works with --server-side');
    if (context.args.length > 0) throw new CommandError(`unexpected args: ${context.args.join(' ')}`);
    const report = await Report.open(context, { output: flags.output, managedFields: flags['show-managed-fields'], suffix: dryRunSuffix(flags['dry-run']) });
    const [manifests, discovery] = await Promise.all([readManifests({ filenames: flags.filename, recursive: flags.recursive, world: context }), session.discovery()]);
    const apply = {
      session, openApi: new OpenApiReader(session.api, context.signal), signal: context.signal, readOnly: flags['dry-run'] === 'client',
      options: writeOptions(flags, flags['server-side'] ? 'kubectl' : 'kubectl-client-side-apply'),
      warn: (text: string) => void context.stderr.write(`Warning: ${text}\n`),
    };
    // An object may need what the one before it makes (a namespace), so they go one after the other.
    for (const manifest of manifests) {
      let placed: PlacedManifest | undefined;
      try {
        placed = resourceOfManifest(manifest, discovery, session);
        const { outcome, object } = flags['server-side'] ? await applyOnServer(placed, flags['force-conflicts'], apply) : await applyObject(placed, apply);
        report.done(placed.resource, object, outcome);
      } catch (error) {
        if (context.signal.aborted) throw error;
        report.failed(withSource(error, manifest.source));
      }
    }
    return report.end();
  }),
});

/** What the server says about an object does not tell which file it came from. */
const withSource = (error: unknown, source: string): unknown => {
  if (!(error instanceof ApiError) || error.cause !== undefined) return error;
  return new ApiError(error.reason, `error when applying "${source}": ${error.message}`, error.details);
};
