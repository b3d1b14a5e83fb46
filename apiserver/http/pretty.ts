import type { IncomingMessage } from 'node:http';
import { splitUrl } from './exchange.ts';
import { isTrue } from './query.ts';

/** Programs in front of which people sit: browsers, curl, Wget. */
const readByPeople = /^(curl|Wget|Mozilla\/5\.0)/;

/** True when the answer is written for eyes, in lines: `pretty=true`, or where the query does not say, a program that people read with. */
export const isPretty = (request: IncomingMessage): boolean => {
  const { url = '' } = request;
  // Hardly any request says it, and looking for the word is quicker than reading the query.
  const said = url.includes('pretty=') ? splitUrl(url).query?.get('pretty') ?? '' : '';
  if (said !== '') return isTrue(said);
  const agent = request.headers['user-agent'];
  return agent !== undefined && readByPeople.test(agent);
};

/** A value as indented JSON, with a line break at its end. */
export const prettyText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
