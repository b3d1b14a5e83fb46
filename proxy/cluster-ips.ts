import type { Service } from '../schemas/kinds/core/service.ts';

/** A service's own addresses of IPv4; a headless one has none. */
export const clusterIps = ({ spec }: Service): readonly string[] => {
  const all = spec?.clusterIPs !== undefined && spec.clusterIPs.length > 0 ? spec.clusterIPs : [spec?.clusterIP ?? ''];
  return all.filter(isIpv4);
};

export const isIpv4 = (text: string): boolean => /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/.test(text) && !text.endsWith('.');
