import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { openEncoder } from '../../../ts/models/encoder.ts';
import { tinyEncoder, withFolder, writeModel } from '../../models/tinyModel.ts';
import { ask, startServer, type TestServer } from '../harness.ts';

const model = 'seine-embed-small';
const texts = ['night nurse', 'a court bailiff keeps order', 'pallets'];

let server: TestServer;
let client: OpenAI;
let expected: number[][];
beforeAll(async () => {
  server = await startServer();
  client = new OpenAI({ apiKey: 'none', baseURL: `${server.url}/openai/v1`, maxRetries: 0 });
  const encoder = await openEncoder(model);
  const { vectors } = await encoder.encode(texts, { kind: 'document' });
  expected = texts.map((_, i) => [...vectors.subarray(i * encoder.dim, (i + 1) * encoder.dim)]);
  await encoder.close();
});
afterAll(() => server.close());

const refused = (message: RegExp) =>
  expect.objectContaining({ status: 400, code: 'ERR_ARGUMENT', message: expect.stringMatching(message) });

describe('embeddings', () => {
  test('float and base64 are the same vectors, those of documents', async () => {
    const float = await client.embeddings.create({ model, input: texts, encoding_format: 'float' });
    expect(float.data.map(({ embedding }) => embedding)).toEqual(expected);
    expect(float.data.map(({ index, object }) => ({ index, object }))).toEqual(
      texts.map((_, index) => ({ index, object: 'embedding' })),
    );
    expect(float).toMatchObject({ object: 'list', model });
    // The client asks for base64 by itself and decodes it.
    const base64 = await client.embeddings.create({ model, input: texts });
    expect(base64.data.map(({ embedding }) => [...embedding])).toEqual(expected);
    expect(base64.usage).toEqual(float.usage);
    expect(float.usage.prompt_tokens).toBeGreaterThan(texts.length);
    expect(float.usage.total_tokens).toBe(float.usage.prompt_tokens);
  });

  test('base64 on the wire is little-endian float32', async () => {
    const { body } = await ask(`${server.url}/openai/v1/embeddings`, {
      model,
      input: texts[0],
      encoding_format: 'base64',
    });
    const bytes = Buffer.from(body.data[0].embedding, 'base64');
    expect(bytes.length).toBe(expected[0]!.length * 4);
    expect(expected[0]!.map((_, i) => bytes.readFloatLE(i * 4))).toEqual(expected[0]);
  });

  test('2048 texts come back in their order, and no more are taken', async () => {
    const input = Array.from({ length: 2048 }, (_, i) => texts[i % texts.length]!);
    const { data } = await client.embeddings.create({ model, input });
    expect(data).toHaveLength(2048);
    for (const at of [0, 1, 1024, 2047]) {
      expect(data[at]!.index).toBe(at);
      const vector = [...data[at]!.embedding];
      expect(Math.max(...vector.map((value, i) => Math.abs(value - expected[at % 3]![i]!)))).toBeLessThan(
        1e-5,
      );
    }
    await expect(client.embeddings.create({ model, input: [...input, 'one more'] })).rejects.toBeInstanceOf(
      BadRequestError,
    );
  });

  test('dimensions may be the lengths at which vectors are embeddings, and no others', async () => {
    for (const dimensions of [64, expected[0]!.length]) {
      const { data } = await client.embeddings.create({ model, input: 'a', dimensions });
      expect(data[0]!.embedding).toHaveLength(dimensions);
    }
    await expect(client.embeddings.create({ model, input: 'a', dimensions: 65 })).rejects.toEqual(
      refused(/dimensions must be 64, 128, 256, 384 .* got 65/),
    );
  });

  test.each([[[1, 2, 3]], [[[1, 2], [3]]]])('token ids %j are refused in words', async (input) => {
    await expect(client.embeddings.create({ model, input: input as number[] })).rejects.toEqual(
      refused(/token ids are not taken, send the text/),
    );
  });

  test.each([[''], [[]], [['a', '']]])('empty input %j is refused', async (input) => {
    await expect(client.embeddings.create({ model, input })).rejects.toEqual(refused(/none of them empty/));
  });

  test('another model is not there, nor is another path', async () => {
    const failure = client.embeddings.create({ model: 'text-embedding-3-small', input: 'a' });
    await expect(failure).rejects.toBeInstanceOf(NotFoundError);
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
      type: 'invalid_request_error',
      param: null,
      message: expect.stringContaining('the embedder here is "seine-embed-small"'),
    });
    const { status, body, headers } = await ask(`${server.url}/openai/v1/completions`, {});
    expect(status).toBe(404);
    expect(body.error).toMatchObject({ code: 'ERR_NOT_FOUND', type: 'invalid_request_error' });
    expect(headers.get('x-request-id')).toMatch(/^[\w-]+$/);
  });

  test('an unknown field is named', async () => {
    const { status, body } = await ask(`${server.url}/openai/v1/embeddings`, {
      model,
      input: 'a',
      prompt: 'b',
    });
    expect(status).toBe(400);
    expect(body.error.message).toContain('"prompt"');
  });
});

test('models are listed, and told one by one', async () => {
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toEqual([model, 'seine-rank-small']);
  expect(await client.models.retrieve(model)).toEqual(data[0]);
  await expect(client.models.retrieve('gpt-2')).rejects.toBeInstanceOf(NotFoundError);
});

test('vectors of a Matryoshka model may be shortened to the lengths that it was trained for', () =>
  withFolder(async (folder) => {
    const dim = 8;
    const matryoshka = {
      'config.json': { ...(tinyEncoder()['config.json'] as object), matryoshka_dimensions: [4] },
    };
    const embedder = writeModel(join(folder, 'nested'), tinyEncoder(dim), matryoshka);
    const nested = await startServer({ embedder, ranker: 'none' });
    try {
      const own = new OpenAI({ apiKey: 'none', baseURL: `${nested.url}/openai/v1`, maxRetries: 0 });
      const name = (await own.models.list()).data[0]!.id;
      const whole = (await own.embeddings.create({ model: name, input: 'sea' })).data[0]!.embedding;
      const head = (await own.embeddings.create({ model: name, input: 'sea', dimensions: 4 })).data[0]!
        .embedding;
      const norm = Math.hypot(...whole.slice(0, 4));
      expect([...head]).toEqual(whole.slice(0, 4).map((value) => expect.closeTo(value / norm, 5)));
      await expect(own.embeddings.create({ model: name, input: 'sea', dimensions: 5 })).rejects.toEqual(
        refused(/dimensions must be 4, 8 for the model .* got 5/),
      );
    } finally {
      await nested.close();
    }
  }));
