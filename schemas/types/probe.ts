import { int32, int64, intOrString, list, object, string, type Static } from '../schema.ts';

export const ExecAction = object('core.v1.ExecAction', '', {
  command: list(string(''), '', { listType: 'atomic' }),
});
export type ExecAction = Static<typeof ExecAction>;

export const GRPCAction = object('core.v1.GRPCAction', '', {
  port: int32(''),
  service: string(''),
}, ['port']);
export type GRPCAction = Static<typeof GRPCAction>;

export const HTTPHeader = object('core.v1.HTTPHeader', '', {
  name: string(''),
  value: string(''),
}, ['name', 'value']);
export type HTTPHeader = Static<typeof HTTPHeader>;

export const HTTPGetAction = object('core.v1.HTTPGetAction', '', {
  host: string(''),
  httpHeaders: list(HTTPHeader, '', { listType: 'atomic' }),
  path: string(''),
  port: intOrString(''),
  scheme: string(''),
}, ['port']);
export type HTTPGetAction = Static<typeof HTTPGetAction>;

export const TCPSocketAction = object('core.v1.TCPSocketAction', '', {
  host: string(''),
  port: intOrString(''),
}, ['port']);
export type TCPSocketAction = Static<typeof TCPSocketAction>;

export const SleepAction = object('core.v1.SleepAction', '', {
  seconds: int64(''),
}, ['seconds']);
export type SleepAction = Static<typeof SleepAction>;

export const Probe = object('core.v1.Probe', '', {
  exec: ExecAction,
  failureThreshold: int32(''),
  grpc: GRPCAction,
  httpGet: HTTPGetAction,
  initialDelaySeconds: int32(''),
  periodSeconds: int32(''),
  successThreshold: int32(''),
  tcpSocket: TCPSocketAction,
  terminationGracePeriodSeconds: int64(''),
  timeoutSeconds: int32(''),
});
export type Probe = Static<typeof Probe>;

export const LifecycleHandler = object('core.v1.LifecycleHandler', '', {
  exec: ExecAction,
  httpGet: HTTPGetAction,
  sleep: SleepAction,
  tcpSocket: TCPSocketAction,
});
export type LifecycleHandler = Static<typeof LifecycleHandler>;

export const Lifecycle = object('core.v1.Lifecycle', '', {
  postStart: LifecycleHandler,
  preStop: LifecycleHandler,
  stopSignal: string(''),
});
export type Lifecycle = Static<typeof Lifecycle>;
