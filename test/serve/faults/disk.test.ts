import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ask, startServer } from '../harness.ts';

/** A file system of its own in memory; `undefined`, with the reason printed, if this user may not mount one. */
function mountSmall(size: string): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'seine-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'pipe' });
    return directory;
  } catch (error) {
    rmdirSync(directory);
    process.stderr.write(`Skipped: a server whose disk fills up (${(error as Error).message.trim()}).\n`);
    return undefined;
  }
}

const small = mountSmall('8m');
const testSmall = small === undefined ? test.skip : test;

testSmall('a full disk: 507, what was acknowledged stays, with space again writes go on', async () => {
  const directory = small!;
  const index = join(directory, 'x.seine');
  const ballast = join(directory, 'ballast');
  try {
    writeFileSync(ballast, new Uint8Array(3 << 20));
    let server = await startServer({ index, ranker: 'none' });
    const kept: string[] = [];
    let refusal: Awaited<ReturnType<typeof ask>> | undefined;
    for (let i = 0; i < 100 && refusal === undefined; i++) {
      const documents = [`a${i}`, `b${i}`].map((id) => ({ id, text: `Cargo ${id} of wool. `.repeat(4000) }));
      const answer = await ask(`${server.url}/documents?atomic=true`, documents);
      if (answer.status === 200) kept.push(...documents.map(({ id }) => id));
      else refusal = answer;
    }
    expect(refusal?.status).toBe(507);
    expect(refusal?.body.error).toMatchObject({
      code: 'ERR_DISK',
      message: expect.stringContaining('free some space'),
    });
    expect(kept.length).toBeGreaterThan(1);
    const found = async (): Promise<string[]> => {
      const { status, body } = await ask(`${server.url}/search`, {
        query: 'wool',
        k: 500,
        retrieve: 'dense',
      });
      expect(status).toBe(200);
      return body.hits.map(({ id }: { id: string }) => id).sort();
    };
    expect(await found()).toEqual([...kept].sort());
    expect((await ask(`${server.url}/healthz`)).status).toBe(200);
    rmSync(ballast);
    const after = await ask(`${server.url}/documents`, { id: 'after', text: 'A bakery.' });
    expect([after.status, after.body.inserted]).toEqual([200, 1]);
    await server.close();
    server = await startServer({ index, ranker: 'none' });
    expect(await found()).toEqual([...kept, 'after'].sort());
    await server.close();
  } finally {
    execFileSync('umount', ['-l', directory]);
    rmdirSync(directory);
  }
});
