import { as, int32, int64, intOrString, list, object, oneOf, string, type Static } from '../schema.ts';

export const ExecAction = object('core.v1.ExecAction', 'Runs a command in the container; exit code 0 is success.', {
  command: list(string('Word of the command.'), 'Program and arguments; not run in a shell.', { listType: 'atomic' }),
});
export type ExecAction = Static<typeof ExecAction>;

export const GRPCAction = object('core.v1.GRPCAction', 'Asks the gRPC health service.', {
  port: int32('Number of the port.', { minimum: 1, maximum: 65535 }),
  service: string('Name of the service to ask about; empty means the server as a whole.', { default: '' }),
}, ['port']);
export type GRPCAction = Static<typeof GRPCAction>;

export const HTTPHeader = object('core.v1.HTTPHeader', 'A header of a request.', {
  name: string('Name of the header.'),
  value: string('Its value.'),
}, ['name', 'value']);
export type HTTPHeader = Static<typeof HTTPHeader>;

export const HTTPGetAction = object('core.v1.HTTPGetAction', 'Makes an HTTP request; codes from 200 to 399 are success.', {
  host: string("Host to connect to; the pod's address where absent."),
  httpHeaders: list(HTTPHeader, 'Headers to send.', { listType: 'atomic' }),
  path: string('Path to ask for.', { default: '/' }),
  port: intOrString('Number of the port, or its name in the container.'),
  scheme: oneOf(['HTTP', 'HTTPS'], 'HTTP or HTTPS; certificates are not checked.', { default: 'HTTP' }),
}, ['port']);
export type HTTPGetAction = Static<typeof HTTPGetAction>;

export const TCPSocketAction = object('core.v1.TCPSocketAction', 'Opens a connection; success when it is accepted.', {
  host: string("Host to connect to; the pod's address where absent."),
  port: intOrString('Number of the port, or its name in the container.'),
}, ['port']);
export type TCPSocketAction = Static<typeof TCPSocketAction>;

export const SleepAction = object('core.v1.SleepAction', 'Waits.', {
  seconds: int64('How many seconds.'),
}, ['seconds']);
export type SleepAction = Static<typeof SleepAction>;

export const Probe = object('core.v1.Probe', 'A check of a container that is repeated.', {
  exec: as(ExecAction, 'Runs a command in the container.'),
  failureThreshold: int32('Failures in a row after which the probe has failed.', { default: 3, minimum: 0, 'x-barge-zero-is-unset': true }),
  grpc: as(GRPCAction, 'Asks the gRPC health service.'),
  httpGet: as(HTTPGetAction, 'Makes an HTTP request.'),
  initialDelaySeconds: int32("Seconds after the container's start at which probing begins.", { minimum: 0 }),
  periodSeconds: int32('Seconds between two probes.', { default: 10, minimum: 0, 'x-barge-zero-is-unset': true }),
  successThreshold: int32('Successes in a row after which the probe has succeeded; 1 for liveness and startup.', { default: 1, minimum: 0, 'x-barge-zero-is-unset': true }),
  tcpSocket: as(TCPSocketAction, 'Opens a connection.'),
  terminationGracePeriodSeconds: int64("Seconds of grace when this probe stops the container, in place of the pod's.", { minimum: 1 }),
  timeoutSeconds: int32('Seconds after which one probe counts as failed.', { default: 1, minimum: 0, 'x-barge-zero-is-unset': true }),
});
export type Probe = Static<typeof Probe>;

export const LifecycleHandler = object('core.v1.LifecycleHandler', "What is done at a turn of a container's life; exactly one member.", {
  exec: as(ExecAction, 'Runs a command in the container.'),
  httpGet: as(HTTPGetAction, 'Makes an HTTP request.'),
  sleep: as(SleepAction, 'Waits.'),
  tcpSocket: as(TCPSocketAction, 'Not supported any more; kept for old objects.'),
});
export type LifecycleHandler = Static<typeof LifecycleHandler>;

export const Lifecycle = object('core.v1.Lifecycle', "What is done at the turns of a container's life.", {
  postStart: as(LifecycleHandler, 'Done right after the start; its failure kills the container.'),
  preStop: as(LifecycleHandler, 'Done before the container is stopped, within the time of grace.'),
  stopSignal: string("Signal that stops the container, in place of the image's."),
});
export type Lifecycle = Static<typeof Lifecycle>;
