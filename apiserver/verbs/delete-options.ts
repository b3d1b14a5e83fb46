import type { RequestOptions } from '../../schemas/api.ts';
import { badRequest, invalid, unsupported, wrong, type FieldError } from '../../schemas/errors.ts';
import { DeleteOptions } from '../../schemas/types/bodies.ts';
import { check, decode } from '../../schemas/validate.ts';

/** What a DeleteOptions object may say of a request; members that it does not name are absent. */
export type SaidOptions = Pick<RequestOptions, 'dryRun' | 'gracePeriodSeconds' | 'propagationPolicy' | 'preconditions'>;

const dryRunErrors = ({ dryRun = [] }: DeleteOptions): readonly FieldError[] =>
  dryRun.filter((word) => word !== 'All').slice(0, 1).map((word) => unsupported('dryRun', word.slice(0, 64), ['All']));

/** The options that a DeleteOptions object means. Throws Invalid with every wrong field. */
export const deleteOptionsOf = (body: DeleteOptions): SaidOptions => {
  const { dryRun = [], gracePeriodSeconds, orphanDependents, preconditions, propagationPolicy } = body;
  const errors = [
    ...check(DeleteOptions, body), ...dryRunErrors(body),
    ...(propagationPolicy === undefined || orphanDependents === undefined ? [] : [wrong('propagationPolicy', propagationPolicy, 'orphanDependents and propagationPolicy cannot both be set')]),
  ];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: DeleteOptions.kind }, '', errors);
  const policy = propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background');
  return {
    ...(dryRun.includes('All') ? { dryRun: true } : {}),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(policy === undefined ? {} : { propagationPolicy: policy as NonNullable<RequestOptions['propagationPolicy']> }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
};

/** The options of a delete whose body came from outside; often it names no kind, or the version of the group that it deletes in. */
export const readDeleteOptions = (body: unknown): SaidOptions => {
  const { object } = decode(DeleteOptions, body);
  if (object.kind !== undefined && object.kind !== '' && object.kind !== DeleteOptions.kind) {
    throw badRequest(`the body of a delete must be a DeleteOptions object, not a ${JSON.stringify(object.kind)}`);
  }
  return deleteOptionsOf(object);
};
