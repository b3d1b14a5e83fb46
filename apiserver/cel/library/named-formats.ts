/** format.dns1123Label().validate(name): the formats of Kubernetes by name. */
import type { CelBudget } from '../budget.ts';
import { celFunction as fn, type CelFunction } from '../functions.ts';
import { parseTimestamp } from '../time.ts';
import { ArrayList, CelOpaque, CelOptional } from '../values.ts';
import { whyNotDns1035Label, whyNotDnsLabel, whyNotDnsSubdomain, whyNotLabelValue, whyNotQualifiedName } from '../../../schemas/names.ts';

class CelFormat extends CelOpaque {
  readonly typeName = 'kubernetes.NamedFormat';
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  equals(other: CelOpaque): boolean {
    return other instanceof CelFormat && other.name === this.name;
  }
}

type Rule = (text: string) => string | undefined;

/** A prefix may end with a dash, to which something random is added. */
const prefixOf = (rule: Rule): Rule => (text) => rule(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

const pattern = (rule: RegExp, why: string): Rule => (text) => (rule.test(text) ? undefined : why);

const isDate: Rule = (text) => (/^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(`${text}T00:00:00Z`) !== undefined ? undefined : 'invalid date');

const isUri: Rule = (text) => (/^[A-Za-z][A-Za-z0-9+.-]*:\S+$|^\/\S*$/.test(text) ? undefined : 'invalid URI');

const rules: Readonly<Record<string, Rule>> = {
  dns1123Label: whyNotDnsLabel,
  dns1123Subdomain: whyNotDnsSubdomain,
  dns1035Label: whyNotDns1035Label,
  qualifiedName: whyNotQualifiedName,
  dns1123LabelPrefix: prefixOf(whyNotDnsLabel),
  dns1123SubdomainPrefix: prefixOf(whyNotDnsSubdomain),
  dns1035LabelPrefix: prefixOf(whyNotDns1035Label),
  labelValue: whyNotLabelValue,
  uri: isUri,
  uuid: pattern(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i, 'does not match the UUID format'),
  byte: pattern(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'invalid base64'),
  date: isDate,
  datetime: (text) => (parseTimestamp(text) === undefined ? 'invalid datetime' : undefined),
};

const validated = ({ name }: CelFormat, text: string, budget: CelBudget): CelOptional => {
  budget.spendText(text.length);
  const why = rules[name]!(text);
  return why === undefined ? CelOptional.none : new CelOptional(new ArrayList([why]));
};

const formatNamed = (name: string): CelOptional => (Object.hasOwn(rules, name) ? new CelOptional(new CelFormat(name)) : CelOptional.none);

export const namedFormats: readonly CelFunction[] = [
  fn('format::named(string): optional<kubernetes.NamedFormat>', formatNamed),
  ...Object.keys(rules).map((name) => fn(`format::${name}(): kubernetes.NamedFormat`, () => new CelFormat(name))),
  fn('kubernetes.NamedFormat.validate(string): optional<list<string>>', validated),
];
