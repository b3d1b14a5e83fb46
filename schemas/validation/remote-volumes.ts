/** Rules for volumes of storage systems that pods and PersistentVolumes can both name. What must not be empty is said by the schema. */
import { refused, required, wrong, type FieldError } from '../errors.ts';
import { whyNotDnsSubdomain } from '../names.ts';
import type { FCVolumeSource, FlockerVolumeSource } from '../types/volume-remote.ts';

interface IscsiVolume {
  readonly chapAuthDiscovery?: boolean | undefined;
  readonly chapAuthSession?: boolean | undefined;
  readonly initiatorName?: string | undefined;
  readonly iqn: string;
  readonly secretRef?: object | undefined;
}

/** Names of targets and initiators by their three registries: a domain since a month, an EUI-64 or a network address. */
const iscsiForms: readonly (readonly [prefix: string, form: RegExp])[] = [
  ['iqn', /^iqn\.\d{4}-\d{2}\.[-.A-Za-z0-9]+(:[^,;*&$|\s]+)$/],
  ['eui', /^eui\.[A-Za-z0-9]{16}$/],
  ['naa', /^naa\.[A-Za-z0-9]{32}$/],
];

const whyNotIscsiName = (name: string): string | undefined =>
  (iscsiForms.some(([, form]) => form.test(name)) ? undefined : 'must be valid format: the name of a target such as iqn.2026-01.com.example:storage, eui.<16 digits> or naa.<32 digits>');

const validateIscsi = ({ iqn, initiatorName, secretRef, ...chap }: IscsiVolume, field: string): readonly FieldError[] => [
  ...(iqn === '' ? [] : refused(`${field}.iqn`, iqn, whyNotIscsiName(iqn))),
  ...(initiatorName === undefined ? [] : refused(`${field}.initiatorName`, initiatorName, whyNotIscsiName(initiatorName))),
  ...((chap.chapAuthDiscovery === true || chap.chapAuthSession === true) && secretRef === undefined ? [required(`${field}.secretRef`)] : []),
];

/** A fibre channel volume has an address at its targets or a name of its own. */
const validateFc = ({ targetWWNs = [], wwids = [], lun }: FCVolumeSource, field: string): readonly FieldError[] => {
  const errors: FieldError[] = [];
  if (targetWWNs.length === 0 && wwids.length === 0) errors.push(required(`${field}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  if (targetWWNs.length > 0 && wwids.length > 0) errors.push(wrong(`${field}.targetWWNs`, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  if (targetWWNs.length > 0 && lun === undefined) errors.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'));
  return errors;
};

const validateFlocker = ({ datasetName = '', datasetUUID = '' }: FlockerVolumeSource, field: string): readonly FieldError[] => {
  if (datasetName === '' && datasetUUID === '') return [required(field, 'one of datasetName and datasetUUID is required')];
  if (datasetName !== '' && datasetUUID !== '') return [wrong(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')];
  return datasetName.includes('/') ? [wrong(`${field}.datasetName`, datasetName, "must not contain '/'")] : [];
};

/** `host:port`, any number of them, joined by commas. */
const isRegistries = (text: string): boolean => text.split(',').every((one) => /^[^:\s]+:\d{1,5}$/.test(one));

interface RemoteVolume {
  readonly fc?: FCVolumeSource | undefined;
  readonly flocker?: FlockerVolumeSource | undefined;
  readonly iscsi?: IscsiVolume | undefined;
  readonly quobyte?: { readonly registry: string } | undefined;
  readonly scaleIO?: { readonly volumeName?: string | undefined } | undefined;
  readonly storageos?: { readonly volumeName?: string | undefined; readonly volumeNamespace?: string | undefined } | undefined;
}

/** Every wrong field of such a volume's source. */
export const validateRemoteVolume = ({ fc, flocker, iscsi, quobyte, scaleIO, storageos }: RemoteVolume, field: string): readonly FieldError[] => [
  ...(fc === undefined ? [] : validateFc(fc, `${field}.fc`)),
  ...(flocker === undefined ? [] : validateFlocker(flocker, `${field}.flocker`)),
  ...(iscsi === undefined ? [] : validateIscsi(iscsi, `${field}.iscsi`)),
  ...(quobyte === undefined || quobyte.registry === '' || isRegistries(quobyte.registry) ? [] : [wrong(`${field}.quobyte.registry`, quobyte.registry, 'must be pairs of host and port, joined by commas')]),
  ...(scaleIO !== undefined && (scaleIO.volumeName ?? '') === '' ? [required(`${field}.scaleIO.volumeName`)] : []),
  ...(storageos === undefined ? [] : (['volumeName', 'volumeNamespace'] as const).flatMap((name) => {
    const value = storageos[name] ?? '';
    if (value === '') return name === 'volumeName' ? [required(`${field}.storageos.${name}`)] : [];
    return refused(`${field}.storageos.${name}`, value, whyNotDnsSubdomain(value));
  })),
];
