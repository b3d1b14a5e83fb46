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

/** A signal of Linux by its name; those of real time count from either end. */
const signalName = /^SIG(ABRT|ALRM|BUS|CHLD|CLD|CONT|FPE|HUP|ILL|INT|IO|IOT|KILL|PIPE|POLL|PROF|PWR|QUIT|SEGV|STKFLT|STOP|SYS|TERM|TRAP|TSTP|TTIN|TTOU|URG|USR1|USR2|VTALRM|WINCH|XCPU|XFSZ|RTMIN(\+([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?)$/;

const validateStopSignal = (signal: string | undefined, field: string, os: string | undefined): readonly FieldError[] => {
  if (signal === undefined) return [];
  if (os === undefined) return [forbidden(field, 'may not be set for containers with empty `spec.os.name`')];
  return refused(field, signal, (os === 'windows' ? ['SIGTERM', 'SIGKILL'].includes(signal) : signalName.test(signal)) ? undefined : `must be a signal of ${os} by its name, such as SIGTERM`);
};

export const validateLifecycle = (lifecycle: Lifecycle, field: string, { graceSeconds, os }: { readonly graceSeconds: number; readonly os: string | undefined }): readonly FieldError[] => [
  ...validateStopSignal(lifecycle.stopSignal, `${field}.stopSignal`, os),
  ...(lifecycle.postStart === undefined ? [] : validateHook(lifecycle.postStart, `${field}.postStart`, graceSeconds)),
  ...(lifecycle.preStop === undefined ? [] : validateHook(lifecycle.preStop, `${field}.preStop`, graceSeconds)),
];
