import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { docker, ensureImages, must } from './e2e.ts';

/** The ports on which the stand-in answers: those of the applications whose place it takes. */
const ports = [80, 8079, 27017, 3306, 5672, 15672, 9090, 6379, 5432];

const program = `#!/bin/sh
# Answers HTTP on every port that is free: / with the pod's name, /health with ok.
trap 'exit 0' TERM INT
for port in ${ports.join(' ')}; do httpd -f -p "$port" -h /www 2> /dev/null & done
while :; do sleep 3600 & wait $!; done
`;

const page = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' "$HOSTNAME"
`;

/** Makes one image that stands in for the applications of the manifests, and tags it with the names that they ask for. */
export const ensureStandIns = async (names: readonly string[]): Promise<void> => {
  await ensureImages();
  const folder = await mkdtemp(join(tmpdir(), 'barge-stand-in-'));
  try {
    await mkdir(join(folder, 'www/cgi-bin'), { recursive: true });
    await writeFile(join(folder, 'app'), program);
    await writeFile(join(folder, 'www/health'), 'ok\n');
    await writeFile(join(folder, 'www/cgi-bin/index.cgi'), page);
    await chmod(join(folder, 'app'), 0o755);
    await chmod(join(folder, 'www/cgi-bin/index.cgi'), 0o755);
    // The example's image has the shell and its tools; copy ours over them.
    const id = await docker('create', 'barge/hello:1');
    try {
      for (const part of ['app', 'www']) await docker('cp', join(folder, part), `${id}:/`);
      await docker('commit', '--change', 'CMD ["/app"]', id, 'barge/stand-in:test');
    } finally {
      await docker('rm', '-f', id);
    }
    for (const name of names) await docker('tag', 'barge/stand-in:test', name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Names of the images in manifest files, each once. */
export const imagesIn = async (files: readonly string[]): Promise<readonly string[]> => {
  const text = (await must('cat', files));
  return [...new Set([...text.matchAll(/^\s*(?:- )?image:\s*["']?([^\s"']+)/gm)].map((match) => match[1]!))];
};
