/** All functions that expressions of this server know: those of CEL, of its extensions and of Kubernetes. */
import type { CelFunction } from '../functions.ts';
import { addresses } from './addresses.ts';
import { conversions } from './conversions.ts';
import { namedFormats } from './named-formats.ts';
import { lists } from './lists.ts';
import { operators } from './operators.ts';
import { optionals } from './optionals.ts';
import { quantities } from './quantities.ts';
import { regex } from './regex.ts';
import { semvers } from './semvers.ts';
import { strings } from './strings.ts';
import { times } from './times.ts';
import { urls } from './urls.ts';

export const library: readonly CelFunction[] = [
  ...operators, ...conversions, ...times, ...strings, ...regex, ...lists, ...optionals, ...urls, ...quantities, ...addresses, ...namedFormats, ...semvers,
];

/** Names of types that expressions may compare `type(x)` with. */
export const typeNames: ReadonlySet<string> = new Set([
  'bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type', 'type', 'optional_type', 'google.protobuf.Timestamp', 'google.protobuf.Duration',
  'kubernetes.URL', 'kubernetes.Quantity', 'kubernetes.Semver', 'kubernetes.NamedFormat', 'net.IP', 'net.CIDR',
]);
