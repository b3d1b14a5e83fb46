import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { OpenApiReader, type OpenApi, type SchemaNode } from '../openapi.ts';
import { withSession } from '../session.ts';

/** Fields inside fields that --recursive follows; schemas of schemas have no end. */
const maxDepth = 24;
const lineWidth = 80;

const wrap = (text: string, indent: string): readonly string[] => text.split('\n').flatMap((paragraph) => {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > lineWidth) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, indent + line];
});

/** The object type below lists and maps. */
const inner = (openApi: OpenApi, node: SchemaNode): SchemaNode => {
  const found = openApi.resolve(node);
  if (found.items !== undefined) return inner(openApi, found.items);
  if (typeof found.additionalProperties === 'object' && found.properties === undefined) return inner(openApi, found.additionalProperties);
  return found;
};

const fieldHead = (openApi: OpenApi, owner: SchemaNode, name: string, node: SchemaNode): string =>
  `${name}\t<${openApi.typeName(node)}>${owner.required?.includes(name) === true ? ' -required-' : ''}`;

/** As many words of an enum are shown. */
const maxWords = 4;

const enumLine = ({ enum: words }: SchemaNode, indent: string): readonly string[] =>
  (words === undefined ? [] : [`${indent}enum: ${words.slice(0, maxWords).map(String).join(', ')}${words.length > maxWords ? ', ....' : ''}`]);

const tree = (openApi: OpenApi, owner: SchemaNode, indent: string, depth: number): readonly string[] =>
  Object.entries(owner.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, node]) => {
    const below = inner(openApi, node);
    const lines = [indent + fieldHead(openApi, owner, name, node), ...enumLine(openApi.resolve(node), indent)];
    return depth >= maxDepth || below.properties === undefined ? lines : [...lines, ...tree(openApi, below, `${indent}  `, depth + 1)];
  });

const fields = (openApi: OpenApi, owner: SchemaNode): readonly string[] =>
  Object.entries(owner.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, node]) => {
    const found = openApi.resolve(node);
    return [`  ${fieldHead(openApi, owner, name, node)}`, ...enumLine(found, '  '), ...wrap(found.description || '<no description>', '    '), ''];
  });

export const command = defineCommand({
  name: 'explain', group: 'Other', summary: 'Show the fields of a kind and what they mean.', usage: 'explain TYPE[.FIELD...] [flags]',
  examples: [
    { note: 'A kind', line: 'explain deployment' },
    { note: 'One of its fields', line: 'explain pod.spec.containers.livenessProbe' },
    { note: 'All fields as a tree', line: 'explain service --recursive' },
  ],
  flags: { ...clusterFlags, recursive: flag.on('Fields of fields too, without descriptions.'), 'api-version': flag.text('Group and version, such as apps/v1.', { value: 'VERSION' }) },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, args } = context;
    if (args.length !== 1) throw new CommandError('you must specify one type, such as: explain pod.spec');
    const [type = '', ...path] = args[0]!.split('.');
    const discovery = await session.discovery();
    // A group may stand between type and fields: deployments.apps.spec.
    const grouped = path.map((_, at) => path.length - at).find((count) => discovery.find([type, ...path.slice(0, count)].join('.')) !== undefined) ?? 0;
    const named = discovery.named([type, ...path.slice(0, grouped)].join('.'));
    const resource = flags['api-version'] === undefined ? named : discovery.ofKind(flags['api-version'], named.kind);
    if (resource === undefined) throw new CommandError(`couldn't find resource for "${flags['api-version']}, Kind=${named.kind}"`);
    const openApi = await new OpenApiReader(session.api, context.signal).of(resource);
    let node = openApi?.ofKind(resource);
    if (openApi === undefined || node === undefined) throw new CommandError(`the server has no schema of ${resource.kind}`);
    let last: { readonly name: string; readonly node: SchemaNode } | undefined;
    for (const name of path.slice(grouped)) {
      const owner: SchemaNode = inner(openApi, node);
      const found = owner.properties !== undefined && Object.hasOwn(owner.properties, name) ? owner.properties[name] : undefined;
      if (found === undefined) throw new CommandError(`field "${name}" does not exist`);
      last = { name, node: found };
      node = found;
    }
    const shown = inner(openApi, node);
    // A list or map has its own description and that of what it holds.
    const descriptions = [...new Set([openApi.resolve(node).description, shown.description])].filter((text) => text !== undefined && text !== '');
    const out = [
      ...(resource.group === '' ? [] : [`GROUP:      ${resource.group}`]), `KIND:       ${resource.kind}`, `VERSION:    ${resource.version}`, '',
      ...(last === undefined ? [] : [`FIELD: ${last.name} <${openApi.typeName(last.node)}>`, '', '']),
      'DESCRIPTION:', ...wrap(descriptions.length === 0 ? '<empty>' : descriptions.join('\n'), '    '), '    ',
    ];
    if (shown.properties !== undefined) out.push('FIELDS:', ...(flags.recursive ? tree(openApi, shown, '  ', 0) : fields(openApi, shown)));
    context.stdout.write(`${out.join('\n')}\n\n`);
    return 0;
  }),
});
