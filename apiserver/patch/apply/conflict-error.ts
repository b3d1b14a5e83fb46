import { ApiError } from '../../../schemas/errors.ts';
import { pathsOf } from './field-set.ts';
import type { Manager } from './managers.ts';
import type { Conflict } from './ownership.ts';

const nameOf = ({ manager, operation, apiVersion, subresource }: Manager): string =>
  `${JSON.stringify(manager)}${subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;

/** The 409 that names every field in conflict and who owns it. */
export const conflictError = (conflicts: readonly Conflict[]): ApiError => {
  const found = conflicts.map(({ manager, fields }) => ({ name: nameOf(manager), paths: pathsOf(fields) })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const count = found.reduce((sum, { paths }) => sum + paths.length, 0);
  const message = count === 1
    ? `Apply failed with 1 conflict: conflict with ${found[0]!.name}: ${found[0]!.paths[0]}`
    : `Apply failed with ${count} conflicts: ${found.map(({ name, paths }) => `conflicts with ${name}:\n${paths.map((path) => `- ${path}`).join('\n')}`).join('\n')}`;
  return new ApiError('Conflict', message, {
    causes: found.flatMap(({ name, paths }) => paths.map((path) => ({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field: path }))),
  });
};
