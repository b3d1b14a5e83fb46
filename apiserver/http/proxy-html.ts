/**
 * Links of HTML pages that come through a proxy: absolute paths in attributes are led through the proxy again, as
 * Kubernetes does, so that simple pages work in a browser. All other bytes stay as they are; scripts make their own links.
 */
import { Transform, type TransformCallback } from 'node:stream';
import type { IncomingHttpHeaders } from 'node:http';
import { turnedLink, type Turned } from './proxy-headers.ts';

const links: Readonly<Record<string, readonly string[]>> = {
  a: ['href'], area: ['href'], audio: ['src'], base: ['href'], blockquote: ['cite'], body: ['background'], button: ['formaction'], del: ['cite'],
  embed: ['src'], form: ['action'], frame: ['src', 'longdesc'], html: ['manifest'], iframe: ['src', 'longdesc'], img: ['src', 'longdesc', 'usemap'],
  input: ['src', 'formaction', 'usemap'], ins: ['cite'], link: ['href'], object: ['data', 'codebase', 'usemap'], q: ['cite'], script: ['src'],
  source: ['src'], track: ['src'], video: ['src', 'poster'],
};

/** Elements whose content is text, whatever it looks like. */
const textElements = new Set(['script', 'style', 'textarea', 'title']);

/** Tags longer than this are passed on as they are. */
const maxTagLength = 64 * 1024;

const tag = /<([a-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/iy;
const attribute = /([\s/"'])([a-z-]+)(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/gi;

/** True for a page whose links are looked at: HTML in an encoding of which ASCII is a part, not compressed. */
export const isTurned = (headers: IncomingHttpHeaders): boolean => {
  const type = headers['content-type'] ?? '';
  return /^text\/html\s*(;|$)/i.test(type) && !/charset\s*=\s*"?utf-?(16|32)/i.test(type) && ['', 'identity'].includes(headers['content-encoding'] ?? '');
};

class HtmlTurner extends Transform {
  readonly #turned: Turned;
  #rest = '';
  /** What ends the text that tags mean nothing in: a comment's or an element's end. */
  #until: string | undefined;

  constructor(turned: Turned) {
    super();
    this.#turned = turned;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // Every byte is one character: what is not ASCII is only passed on.
    this.#rest += chunk.toString('latin1');
    done(null, Buffer.from(this.#take(), 'latin1'));
  }

  override _flush(done: TransformCallback): void {
    done(null, Buffer.from(this.#take() + this.#rest, 'latin1'));
  }

  /** As much as can be told already. */
  #take(): string {
    const text = this.#rest;
    let out = '';
    let at = 0;
    while (at < text.length) {
      if (this.#until !== undefined) {
        const end = text.toLowerCase().indexOf(this.#until, at);
        const upTo = end < 0 ? Math.max(at, text.length - this.#until.length) : end;
        out += text.slice(at, upTo);
        at = upTo;
        if (end < 0) break;
        this.#until = undefined;
        // The end itself is text that no tag begins in, but for the end tag of an element, which has no links.
        continue;
      }
      const open = text.indexOf('<', at);
      if (open < 0) return this.#keep(out + text.slice(at), '');
      out += text.slice(at, open);
      at = open;
      if (text.length - at < 4) break;
      if (text.startsWith('<!--', at)) {
        out += '<!--';
        at += 4;
        this.#until = '-->';
        continue;
      }
      tag.lastIndex = at;
      const match = tag.exec(text);
      if (match !== null) {
        out += this.#tag(match);
        at += match[0].length;
      } else if (/[a-z]/i.test(text[at + 1] ?? '') && text.length - at < maxTagLength) break;
      else {
        out += '<';
        at += 1;
      }
    }
    return this.#keep(out, text.slice(at));
  }

  #keep(out: string, rest: string): string {
    this.#rest = rest;
    return out;
  }

  #tag([whole, nameText = '', attributes = '']: RegExpExecArray): string {
    const name = nameText.toLowerCase();
    if (textElements.has(name) && !attributes.endsWith('/')) this.#until = `</${name}`;
    const names = Object.hasOwn(links, name) ? links[name]! : [];
    if (names.length === 0) return whole;
    const turned = attributes.replace(attribute, (all: string, before: string, one: string, equals: string, double?: string, single?: string, bare?: string) => {
      if (!names.includes(one.toLowerCase())) return all;
      const quote = double !== undefined ? '"' : single !== undefined ? '\'' : '';
      return `${before}${one}${equals}${quote}${turnedLink(double ?? single ?? bare ?? '', this.#turned)}${quote}`;
    });
    return `<${nameText}${turned}>`;
  }
}

/** Turns the links of one page as it streams through; it holds back no more than one tag. */
export const htmlTurner = (turned: Turned): Transform => new HtmlTurner(turned);
