import { forbidden, refused, required, wrong, type FieldError } from '../errors.ts';
import { whyNotHttpHeaderName, whyNotPortName, whyNotPortNumber } from '../names.ts';
import type { ExecAction, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction, TCPSocketAction } from '../types/probe.ts';

/** A port by number or by the name of a container's port. */
export const validatePortOrName = (port: number | string, field: string): readonly FieldError[] =>
  refused(field, port, typeof port === 'number' ? whyNotPortNumber(port) : whyNotPortName(port));

interface Handlers {
  readonly exec?: ExecAction | undefined;
  readonly httpGet?: HTTPGetAction | undefined;
  readonly tcpSocket?: TCPSocketAction | undefined;
  readonly grpc?: { readonly port: number } | undefined;
  readonly sleep?: SleepAction | undefined;
}

const handlerNames = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

const validateHttpGet = (get: HTTPGetAction, field: string): readonly FieldError[] => [
  ...(get.path === '' ? [required(`${field}.path`)] : []),
  ...validatePortOrName(get.port, `${field}.port`),
  ...(get.httpHeaders ?? []).flatMap(({ name }, index) => refused(`${field}.httpHeaders[${index}].name`, name, whyNotHttpHeaderName(name))),
];

/** Exactly one way of acting, itself right. */
const validateHandlers = (handlers: Handlers, field: string): readonly FieldError[] => {
  const named = handlerNames.filter((name) => handlers[name] !== undefined);
  if (named.length === 0) return [required(field, 'must specify a handler type')];
  const errors: FieldError[] = named.slice(1).map((name) => forbidden(`${field}.${name}`, 'may not specify more than 1 handler type'));
  const { exec, httpGet, tcpSocket } = handlers;
  if (exec !== undefined && (exec.command ?? []).length === 0) errors.push(required(`${field}.exec.command`));
  if (httpGet !== undefined) errors.push(...validateHttpGet(httpGet, `${field}.httpGet`));
  if (tcpSocket !== undefined) errors.push(...validatePortOrName(tcpSocket.port, `${field}.tcpSocket.port`));
  return errors;
};

export type ProbeUse = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

export const validateProbe = (probe: Probe, field: string, use: ProbeUse): readonly FieldError[] => [
  ...validateHandlers(probe, field),
  ...(use !== 'readinessProbe' && probe.successThreshold !== undefined && probe.successThreshold > 1
    ? [wrong(`${field}.successThreshold`, probe.successThreshold, 'must be 1')] : []),
  ...(use === 'readinessProbe' && probe.terminationGracePeriodSeconds !== undefined
    ? [wrong(`${field}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, 'must not be set for readinessProbes')] : []),
];

const validateHook = (hook: LifecycleHandler, field: string, graceSeconds: number): readonly FieldError[] => [
  ...validateHandlers(hook, field),
  ...(hook.sleep !== undefined && (hook.sleep.seconds < 0 || hook.sleep.seconds > graceSeconds)
    ? [wrong(`${field}.sleep`, hook.sleep.seconds, `must be greater than or equal to 0 and less than or equal to terminationGracePeriodSeconds (${graceSeconds})`)] : []),
];

export const validateLifecycle = (lifecycle: Lifecycle, field: string, graceSeconds: number): readonly FieldError[] => [
  ...(lifecycle.postStart === undefined ? [] : validateHook(lifecycle.postStart, `${field}.postStart`, graceSeconds)),
  ...(lifecycle.preStop === undefined ? [] : validateHook(lifecycle.preStop, `${field}.preStop`, graceSeconds)),
];
