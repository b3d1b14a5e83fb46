import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import type { ApiObject } from '../schemas/kind.ts';
import { CommandError, type World } from './command.ts';
import { ManifestError, maxSourceBytes, parseYaml, type YamlDocument } from './manifest-yaml.ts';

/** One object of a manifest, and where it stands. */
export interface Manifest {
  readonly object: ApiObject;
  /** `web.yaml:12: document 2`, for messages. */
  readonly source: string;
}

export interface ReadOptions {
  readonly filenames: readonly string[];
  readonly recursive: boolean;
  readonly world: Pick<World, 'stdin' | 'cwd' | 'signal'>;
}

/** Files of these names are read out of a folder; a file that is named is always read. */
const extensions = new Set(['.yaml', '.yml', '.json']);
const urlTimeoutMs = 30_000;

interface Source {
  readonly name: string;
  readonly text: string;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

const filesBelow = async (folder: string, recursive: boolean): Promise<readonly string[]> => {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(entries.sort((a, b) => (a.name < b.name ? -1 : 1)).map(async (entry) => {
    const path = join(folder, entry.name);
    const kind = entry.isSymbolicLink() ? await stat(path) : entry;
    if (kind.isDirectory()) return recursive ? filesBelow(path, true) : [];
    return extensions.has(extname(entry.name)) ? [path] : [];
  }));
  return found.flat();
};

const collect = async (chunks: AsyncIterable<string | Uint8Array>, name: string): Promise<string> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxSourceBytes) throw new ManifestError(`${name}: is larger than ${maxSourceBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
};

const download = async (url: string, signal: AbortSignal): Promise<Source> => {
  const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(urlTimeoutMs)]) });
  if (!answer.ok) throw new CommandError(`unable to read URL "${url}", server reported ${answer.status} ${answer.statusText}, status code=${answer.status}`);
  return { name: url, text: answer.body === null ? '' : await collect(answer.body, url) };
};

const readNamedFile = async (path: string, name: string): Promise<Source> => {
  const { size } = await stat(path);
  if (size > maxSourceBytes) throw new ManifestError(`${name}: is larger than ${maxSourceBytes} bytes`);
  return { name, text: await readFile(path, 'utf8') };
};

const sourcesOf = async (filename: string, { recursive, world }: ReadOptions): Promise<readonly Source[]> => {
  if (filename === '-') return [{ name: 'STDIN', text: await collect(world.stdin as AsyncIterable<Buffer>, 'STDIN') }];
  if (/^https?:\/\//.test(filename)) return [await download(filename, world.signal)];
  const path = resolve(world.cwd, filename);
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(error.code === 'ENOENT' ? `the path "${filename}" does not exist` : `${filename}: ${error.message}`, { cause: error });
  });
  if (!info.isDirectory()) return [await readNamedFile(path, filename)];
  const files = await filesBelow(path, recursive);
  if (files.length === 0) throw new CommandError(`error reading [${filename}]: recognized file extensions are [.json .yaml .yml]`);
  return Promise.all(files.map((file) => readNamedFile(file, join(filename, file.slice(path.length)))));
};

const checkObject = (value: unknown, where: string): ApiObject => {
  if (!isMap(value)) throw new ManifestError(`${where}: must be an object with apiVersion, kind and metadata`);
  for (const field of ['apiVersion', 'kind']) {
    if (typeof value[field] !== 'string' || value[field] === '') throw new ManifestError(`${where}: ${field} not set: it must be a string such as ${field === 'kind' ? 'Pod' : 'v1 or apps/v1'}`);
  }
  const { metadata = {} } = value;
  if (!isMap(metadata)) throw new ManifestError(`${where}: metadata: must be a map`);
  for (const field of ['name', 'namespace', 'generateName']) {
    if (metadata[field] !== undefined && typeof metadata[field] !== 'string') throw new ManifestError(`${where}: metadata.${field}: must be a string`);
  }
  return { ...value, metadata } as unknown as ApiObject;
};

/** The objects of a document: itself, or the items of a List. */
const objectsOf = (document: YamlDocument, name: string): readonly Manifest[] => {
  const source = `${name}:${document.line}: document ${document.number}`;
  const { value } = document;
  if (isMap(value) && typeof value['kind'] === 'string' && value['kind'].endsWith('List') && Array.isArray(value['items'])) {
    return value['items'].map((item, index) => {
      const where = `${source}: items[${index}]`;
      return { object: checkObject(item, where), source: where };
    });
  }
  return [{ object: checkObject(value, source), source }];
};

/**
 * All objects of the named files, folders, URLs and standard input, in order. Throws ManifestError or CommandError,
 * which name the file, before anything is given back: a file with one bad document is used not at all.
 */
export const readManifests = async (options: ReadOptions): Promise<readonly Manifest[]> => {
  const manifests: Manifest[] = [];
  for (const filename of options.filenames.flatMap((name) => (/^https?:/.test(name) ? [name] : name.split(',')))) {
    for (const { name, text } of await sourcesOf(filename, options)) {
      for (const document of parseYaml(text, name)) manifests.push(...objectsOf(document, name));
    }
  }
  if (manifests.length === 0) throw new CommandError('no objects passed to it: the input has no document', { plain: false });
  return manifests;
};
