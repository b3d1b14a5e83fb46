import type { RuntimeInfo } from './runtime.ts';

/** What an engine says of itself and its machine. */
export const runtimeInfo = (info: Readonly<Record<string, unknown>>): RuntimeInfo => {
  const text = (name: string): string => String(info[name] ?? '');
  const security = Array.isArray(info['SecurityOptions']) ? info['SecurityOptions'].map(String) : [];
  const labels = Array.isArray(info['Labels']) ? info['Labels'].map((label) => String(label).split('=')) : [];
  return {
    name: 'docker', version: text('ServerVersion'), cpuCount: Number(info['NCPU']), memoryBytes: Number(info['MemTotal']),
    operatingSystem: text('OperatingSystem'), kernelVersion: text('KernelVersion'), architecture: text('Architecture'),
    storageDriver: text('Driver'), defaultRuntime: text('DefaultRuntime'),
    appArmor: security.some((option) => option.split(',').includes('name=apparmor')), labels: Object.fromEntries(labels.map(([key, ...value]) => [key ?? '', value.join('=')])),
  };
};
