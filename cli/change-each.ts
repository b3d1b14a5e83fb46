/** The frame of commands that change objects one by one: label, annotate, patch, scale, rollout, set. */
import type { PatchType } from '../schemas/api.ts';
import type { ApiObject } from '../schemas/kind.ts';
import { changeFlags, dryRunSuffix, writeOptions } from './change-flags.ts';
import { clusterFlags } from './cluster-flags.ts';
import type { CommandContext } from './command.ts';
import { flag } from './flags.ts';
import { outputFlags } from './output.ts';
import { Report } from './report.ts';
import { fileFlags, placeOf, select, selectorFlags, type Selected } from './selection.ts';
import { withSession, type Session } from './session.ts';

export const changeEachFlags = {
  ...clusterFlags, ...fileFlags, ...selectorFlags, ...changeFlags, ...outputFlags, all: flag.on('All objects of the type in the namespace.'),
};

/** What is to be done to one object: a patch, or nothing. */
export interface Change {
  /** What the line says: `labeled`, `scaled`, `restarted`; it may depend on what came out. */
  readonly verb: string | ((after: ApiObject) => string);
  /** Absent: nothing is sent. */
  readonly patch?: { readonly type: PatchType; readonly body: unknown; readonly subresource?: string } | undefined;
  /** Without a patch kubectl's `set` says nothing, where others say `not labeled`. */
  readonly unchanged?: 'silent';
  /** What -o prints with --dry-run=client; the object as it is where absent. */
  readonly preview?: ApiObject | undefined;
}

export interface ChangeEachOptions {
  readonly args: readonly string[];
  /** kubectl's name of the field manager. */
  readonly manager: string;
  /** False when the change does not look at the object: it is not read then. */
  readonly reads?: boolean;
  change(object: ApiObject, selected: Selected, session: Session): Change | Promise<Change>;
}

/** Changes every object that is meant and reports each. The exit code is 1 when one of them failed. */
export const changeEach = (context: CommandContext<typeof changeEachFlags>, options: ChangeEachOptions): Promise<number> => withSession(context.flags, context, async (session) => {
  const { flags } = context;
  const report = await Report.open(context, { output: flags.output, managedFields: flags['show-managed-fields'], suffix: dryRunSuffix(flags['dry-run']) });
  const chosen = await select(session, context, {
    args: options.args, filenames: flags.filename, recursive: flags.recursive, selector: flags.selector, fieldSelector: flags['field-selector'],
    allNamespaces: flags['all-namespaces'], all: flags.all,
  });
  for (const selected of chosen) {
    try {
      const reads = options.reads !== false || flags['dry-run'] === 'client';
      const object = selected.object ?? (reads ? await session.api.get(placeOf(selected), context.signal) : undefined);
      const change = await options.change(object ?? nameOnly(selected), selected, session);
      const { patch } = change;
      if (patch === undefined && change.unchanged === 'silent') continue;
      if (patch === undefined || flags['dry-run'] === 'client') {
        const shown = change.preview ?? object ?? nameOnly(selected);
        report.done(selected.resource, shown, wordOf(change, shown));
        continue;
      }
      const changed = await session.api.send({
        ...placeOf(selected), subresource: patch.subresource, verb: 'patch', patchType: patch.type, body: patch.body, options: writeOptions(flags, options.manager),
      }, context.signal) as ApiObject;
      report.done(selected.resource, withName(changed, selected), wordOf(change, changed));
    } catch (error) {
      if (context.signal.aborted) throw error;
      report.failed(error);
    }
  }
  return report.end();
});

const wordOf = (change: Change, after: ApiObject): string => (typeof change.verb === 'string' ? change.verb : change.verb(after));

/** The answer to a write of a subresource may be of another kind; the line names the object. */
const withName = (changed: ApiObject, selected: Selected): ApiObject => (changed.metadata?.name === undefined ? nameOnly(selected) : changed);

const nameOnly = (selected: Selected): ApiObject => ({ apiVersion: '', kind: selected.resource.kind, metadata: { name: selected.name } });
