/** What expressions of admission can see, and how they are compiled. */
import { compileCel, celEnvironment, type CelEnvironment, type CelProgram } from '../../cel/cel.ts';
import { CelCompileError } from '../../cel/errors.ts';
import { authorizerFunctions, CelAuthorizer } from '../../cel/library/authorizer.ts';
import { dyn, opaque, string, type CelType } from '../../cel/types.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { requestFacts } from './admission-request.ts';
import type { View } from './subject.ts';

const strings = (...names: readonly string[]): CelType => ({ kind: 'object', name: `kubernetes.${names.at(-1)}`, fields: new Map(names.map((name) => [name, { jsonName: name, type: string }])) });

const fields = (name: string, members: Readonly<Record<string, CelType>>): CelType =>
  ({ kind: 'object', name, fields: new Map(Object.entries(members).map(([key, type]) => [key, { jsonName: key, type }])) });

const gvk = strings('group', 'version', 'kind');
const gvr = strings('group', 'version', 'resource');

/** AdmissionRequest without its objects. */
const requestType = fields('kubernetes.AdmissionRequest', {
  kind: gvk, resource: gvr, subResource: string, requestKind: gvk, requestResource: gvr, requestSubResource: string, name: string, namespace: string, operation: string,
  userInfo: fields('kubernetes.UserInfo', {
    username: string, uid: string, groups: { kind: 'list', item: string }, extra: { kind: 'map', key: string, value: { kind: 'list', item: string } },
  }),
  dryRun: { kind: 'bool' }, options: dyn,
});

const authorizers = { 'authorizer': opaque('kubernetes.authorization.Authorizer'), 'authorizer.requestResource': opaque('kubernetes.authorization.ResourceCheck') };

/** What conditions of webhooks can see. */
export const conditionVariables: Readonly<Record<string, CelType>> = { object: dyn, oldObject: dyn, request: requestType, ...authorizers };

export const conditionEnvironment: CelEnvironment = celEnvironment({ variables: conditionVariables, functions: authorizerFunctions });

/** What a request binds those variables to. */
export const requestBindings = (view: View, authorizer: Authorizer): Readonly<Record<string, unknown>> => {
  const { call, namespace, name, subresource } = view.subject;
  const asked = new CelAuthorizer(authorizer, call.user);
  const { group, plural } = view.form;
  return {
    object: view.object ?? null, oldObject: view.old ?? null, request: requestFacts(view), authorizer: asked,
    'authorizer.requestResource': asked.resource({ group, resource: plural, subresource, namespace, name }),
  };
};

/** The program, or why the text is none. */
export const compileOrExplain = (expression: string, environment: CelEnvironment): CelProgram | string => {
  try {
    return compileCel(expression, environment);
  } catch (error) {
    if (error instanceof CelCompileError) return `compilation failed: ${error.message}`;
    throw error;
  }
};
