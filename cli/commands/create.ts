import { changeFlags, dryRunSuffix, validateFlag, writeOptions } from '../change-flags.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { defineCommand } from '../command.ts';
import { createObject } from '../create-object.ts';
import { flag, UsageError } from '../flags.ts';
import { createConfigMap, createSecret } from '../generators/config.ts';
import { createDeployment, createNamespace, createServiceAccount } from '../generators/plain.ts';
import { createService } from '../generators/service.ts';
import { readManifests } from '../manifest.ts';
import { resourceOfManifest } from '../manifest-resource.ts';
import { outputFlags } from '../output.ts';
import { Report } from '../report.ts';
import { fileFlags } from '../selection.ts';
import { withSession } from '../session.ts';

export const command = defineCommand({
  name: 'create', group: 'Basic', summary: 'Create objects from manifests or from flags.',
  usage: 'create (-f FILE | KIND NAME) [flags]',
  examples: [
    { note: 'The objects of a file', line: 'create -f web.yaml' },
    { note: 'A deployment of three replicas', line: 'create deployment web --image=nginx --replicas=3' },
    { note: 'A manifest to start from', line: 'create deployment web --image=nginx --dry-run=client -o yaml' },
  ],
  flags: { ...clusterFlags, ...fileFlags, ...changeFlags, ...outputFlags, validate: validateFlag, 'save-config': flag.on('Keep the manifest in the annotation that apply uses.') },
  subcommands: {
    namespace: createNamespace, ns: { ...createNamespace, hidden: true }, configmap: createConfigMap, cm: { ...createConfigMap, hidden: true }, secret: createSecret,
    serviceaccount: createServiceAccount, sa: { ...createServiceAccount, hidden: true }, deployment: createDeployment, deploy: { ...createDeployment, hidden: true },
    service: createService, svc: { ...createService, hidden: true },
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags } = context;
    if (flags.filename.length === 0) throw new UsageError(context.args.length > 0 ? `unknown kind to create: "${context.args[0]}"` : 'must specify -f, or a kind and a name');
    const report = await Report.open(context, { output: flags.output, managedFields: flags['show-managed-fields'], suffix: dryRunSuffix(flags['dry-run']) });
    const [manifests, discovery] = await Promise.all([readManifests({ filenames: flags.filename, recursive: flags.recursive, world: context }), session.discovery()]);
    for (const manifest of manifests) {
      try {
        const placed = resourceOfManifest(manifest, discovery, session);
        const object = await createObject(session, placed, {
          options: writeOptions(flags, 'kubectl-create'), dryRun: flags['dry-run'], saveConfig: flags['save-config'], signal: context.signal,
        });
        report.done(placed.resource, object, 'created');
      } catch (error) {
        if (context.signal.aborted) throw error;
        report.failed(error);
      }
    }
    return report.end();
  }),
});
