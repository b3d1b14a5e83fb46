import type { RequestOptions } from '../schemas/api.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { changeFlags, dryRunSuffix, writeOptions } from './change-flags.ts';
import { clusterFlags } from './cluster-flags.ts';
import type { CommandContext } from './command.ts';
import { flag } from './flags.ts';
import { withLastApplied } from './last-applied.ts';
import { resourceOfManifest, type PlacedManifest } from './manifest-resource.ts';
import { outputFlags } from './output.ts';
import { Report } from './report.ts';
import { at } from './selection.ts';
import { withSession, type Session } from './session.ts';
import { Discovery, type Resource } from './discovery.ts';

export interface CreateOptions {
  readonly options: RequestOptions;
  readonly dryRun: string | undefined;
  readonly saveConfig: boolean;
  readonly signal: AbortSignal;
}

/** Creates one object; with --dry-run=client only gives what would be sent. */
export const createObject = async (session: Session, placed: PlacedManifest, { options, dryRun, saveConfig, signal }: CreateOptions): Promise<ApiObject> => {
  const body = saveConfig ? withLastApplied(placed.object) : placed.object;
  if (dryRun === 'client') return body;
  return await session.api.send({ ...at(placed.resource, placed.namespace), verb: 'create', body, options }, signal) as ApiObject;
};

/** Flags of every command that makes an object out of flags. */
export const generatorFlags = {
  ...clusterFlags, ...changeFlags, ...outputFlags, 'save-config': flag.on('Keep the manifest in the annotation that apply uses.'),
};

/** Kinds that generators make, so that --dry-run=client needs no server. */
const known = (group: string, plural: string, kind: string, namespaced = true): Resource => ({
  group, version: 'v1', plural, singular: kind.toLowerCase(), kind, namespaced, shortNames: [], categories: [], verbs: [], subresources: [],
});
const generated = new Discovery([
  known('', 'namespaces', 'Namespace', false), known('', 'configmaps', 'ConfigMap'), known('', 'secrets', 'Secret'), known('', 'serviceaccounts', 'ServiceAccount'),
  known('', 'services', 'Service'), known('', 'pods', 'Pod'), known('apps', 'deployments', 'Deployment'),
]);

/** Creates what a generator made and reports it. --dry-run=client needs no server. */
export const createGenerated = async (context: CommandContext<typeof generatorFlags>, object: ApiObject, manager = 'kubectl-create'): Promise<number> => {
  const { flags } = context;
  const report = await Report.open(context, { output: flags.output, managedFields: flags['show-managed-fields'], suffix: dryRunSuffix(flags['dry-run']) });
  if (flags['dry-run'] === 'client') {
    const resource = generated.ofKind(object.apiVersion, object.kind)!;
    const { namespace } = flags;
    const named = namespace === undefined || !resource.namespaced ? object : { ...object, metadata: { ...object.metadata, namespace } };
    report.done(resource, flags['save-config'] ? withLastApplied(named) : named, 'created');
    return report.end();
  }
  return withSession(flags, context, async (session) => {
    const placed = resourceOfManifest({ object, source: 'the command line' }, generated, session);
    const created = await createObject(session, placed, {
      options: { ...writeOptions(flags, manager), fieldValidation: 'Strict' }, dryRun: flags['dry-run'], saveConfig: flags['save-config'], signal: context.signal,
    });
    report.done(placed.resource, created, 'created');
    return report.end();
  });
};
