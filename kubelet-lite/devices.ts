import { stat } from 'node:fs/promises';
import { devicesPrefix, readDevices, type Device } from '../schemas/devices.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import type { Container } from '../schemas/types/container.ts';
import { ConfigError } from './config-error.ts';

/** The devices of the node that a container is given. Rejects with ConfigError where one is not on this node. */
export const devicesOf = async ({ metadata }: Pod, { name }: Container): Promise<readonly Device[]> => {
  const text = metadata.annotations?.[devicesPrefix + name];
  if (text === undefined) return [];
  const devices = readDevices(text);
  if (typeof devices === 'string') throw new ConfigError(`container ${name}: the annotation ${devicesPrefix}${name} cannot be read: ${devices}`);
  for (const { hostPath } of devices) {
    const found = await stat(hostPath).catch(() => undefined);
    if (found === undefined) throw new ConfigError(`container ${name}: there is no device ${hostPath} on this node`);
    if (!found.isCharacterDevice() && !found.isBlockDevice()) throw new ConfigError(`container ${name}: ${hostPath} is no device on this node`);
  }
  return devices;
};
