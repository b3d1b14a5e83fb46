import type { ApiObject } from '../../schemas/kind.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import { failureLine } from '../errors.ts';
import { flag } from '../flags.ts';
import { parseRelaxedPath } from '../../schemas/jsonpath.ts';
import { selectValues, valueText } from '../../schemas/jsonpath-evaluate.ts';
import { shownName } from '../discovery.ts';
import { fileFlags, placeOf, select, selectorFlags } from '../selection.ts';
import { withSession } from '../session.ts';
import { deadline, TimedOut, until } from '../until.ts';

interface Conditioned extends ApiObject {
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly { readonly type: string; readonly status: string; readonly observedGeneration?: number }[] };
}

/** What is waited for: a test of the object (undefined: it is gone), and what is said when it holds. */
export interface Awaited {
  readonly holds: (object: ApiObject | undefined) => boolean;
  readonly done: string;
  /** False when an object that does not exist is what is waited for, or may still come. */
  readonly mustExist: boolean;
}

/** Reads --for. Throws CommandError that says what would be right. */
export const parseFor = (text: string): Awaited => {
  const [kind = '', ...rest] = text.split('=');
  const value = rest.join('=');
  if (text.toLowerCase() === 'delete') return { holds: (object) => object === undefined, done: 'condition met', mustExist: false };
  if (text.toLowerCase() === 'create') return { holds: (object) => object !== undefined, done: 'condition met', mustExist: false };
  if (kind === 'condition') {
    const [name = '', wanted = 'true'] = value.split('=');
    if (name === '') throw new CommandError('--for=condition=NAME needs the name of a condition');
    return { mustExist: true, done: 'condition met', holds: (object) => {
      const { metadata, status } = (object ?? { metadata: {} }) as Conditioned;
      const found = status?.conditions?.find(({ type }) => type.toLowerCase() === name.toLowerCase());
      const observed = found?.observedGeneration ?? status?.observedGeneration;
      // A status that is older than the spec says nothing about it.
      if (found === undefined || (observed !== undefined && observed < (metadata.generation ?? 0))) return false;
      return found.status.toLowerCase() === wanted.toLowerCase();
    } };
  }
  if (kind === 'jsonpath') {
    const match = /^(['"]?)(\{.*?\}|[^=]+)\1(?:=(.*))?$/s.exec(value);
    if (match === null) throw new CommandError("--for=jsonpath needs a path: --for=jsonpath='{.status.phase}'=Running");
    const path = parseRelaxedPath(match[2]!);
    const wanted = match[3]?.replace(/^(['"])(.*)\1$/s, '$2');
    return { mustExist: true, done: 'condition met', holds: (object) => {
      if (object === undefined) return false;
      const values = selectValues(path, object).flat();
      return wanted === undefined ? values.length > 0 : values.length === 1 && valueText(values[0]) === wanted;
    } };
  }
  throw new CommandError(`unrecognized condition: "${text}": write condition=NAME[=VALUE], jsonpath='{PATH}'=VALUE, delete or create`);
};

export const command = defineCommand({
  name: 'wait', group: 'Debug', summary: 'Wait until objects are as they should be.',
  usage: 'wait (TYPE NAME... | TYPE/NAME... | TYPE -l SELECTOR | -f FILE) --for=(condition=NAME[=VALUE] | jsonpath=PATH=VALUE | delete | create) [flags]',
  examples: [
    { note: 'Until a pod is ready', line: 'wait pod/web-1 --for=condition=Ready' },
    { note: 'Until a deployment is available', line: 'wait deployment/web --for=condition=Available --timeout=2m' },
    { note: 'Until a field has a value', line: "wait pod/web-1 --for=jsonpath='{.status.phase}'=Running" },
    { note: 'Until it is gone', line: 'wait pod/web-1 --for=delete' },
  ],
  flags: {
    ...clusterFlags, ...selectorFlags, ...fileFlags, all: flag.on('All objects of the type in the namespace.'),
    for: flag.text('What to wait for.', { value: 'CONDITION' }),
    timeout: flag.durationMs('Wait this long at most; negative is a week, 0 looks once.', { shownDefault: '30s' }),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags } = context;
    if (flags.for === undefined) throw new CommandError('required flag(s) "for" not set');
    const awaited = parseFor(flags.for);
    const timeoutMs = flags.timeout === undefined ? 30_000 : flags.timeout < 0 ? 7 * 86_400_000 : flags.timeout;
    const selects = flags.selector !== undefined || flags.all || flags['field-selector'] !== undefined;
    const chosen = await select(session, context, {
      args: context.args, filenames: flags.filename, recursive: flags.recursive, selector: flags.selector, fieldSelector: flags['field-selector'],
      allNamespaces: flags['all-namespaces'], all: flags.all,
    });
    if (chosen.length === 0 && flags.for.toLowerCase() !== 'delete') throw new CommandError('no matching resources found');
    // One limit for all of them together.
    const limit = deadline(context, timeoutMs === 0 ? undefined : timeoutMs);
    let failed = false;
    try {
      await Promise.all(chosen.map(async (selected) => {
        try {
          if (timeoutMs === 0) {
            if (!awaited.holds(await session.api.find(placeOf(selected), context.signal))) throw new TimedOut('timed out');
          } else {
            if (awaited.mustExist && !selects) await session.api.get(placeOf(selected), limit.signal);
            const { uid } = selected.object?.metadata ?? {};
            await until(session, { clock: context.clock, signal: context.signal }, {
              selected, timeoutMs, look: (object) => (awaited.holds(object !== undefined && uid !== undefined && object.metadata.uid !== uid ? undefined : object) ? true : undefined),
            });
          }
          context.stdout.write(`${shownName(selected.resource, selected.name)} ${awaited.done}\n`);
        } catch (error) {
          failed = true;
          const shown = error instanceof TimedOut ? new CommandError(`timed out waiting for the condition on ${selected.resource.plural}/${selected.name}`) : error;
          context.stderr.write(`${failureLine(shown)}\n`);
        }
      }));
    } finally {
      limit.cancel();
    }
    return failed ? 1 : 0;
  }),
});
