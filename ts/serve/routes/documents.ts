import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { SeineError, show } from '../../core/errors.ts';
import type { Document } from '../../core/types.ts';
import type { DeleteResult } from '../../store/types.ts';
import { admitted } from '../admitted.ts';
import { AttributesJson, attributesToJson } from '../attributeJson.ts';
import { STREAMED } from '../bodyTime.ts';
import { clientSignal } from '../clientSignal.ts';
import { bodyChunks } from '../documents/bodyChunks.ts';
import { bulkUpsert } from '../documents/bulkUpsert.ts';
import { jsonEntries, ndjsonEntries } from '../documents/entries.ts';
import { failures, Generation, UpsertCounts } from '../schemas.ts';
import type { Service } from '../service.ts';
import { SliceSizer } from '../sliceSizer.ts';

const EXAMPLE = {
  id: 'job-17',
  title: 'Night nurse',
  text: 'Care for patients on the night shift.',
  attributes: { city: 'Bern', pay: 90, posted: '2026-03-01' },
};

const DocumentJson = Type.Object({
  id: Type.String(),
  title: Type.Optional(Type.String()),
  text: Type.String(),
  attributes: AttributesJson,
});

/** Documents are checked one by one as they are read, so that an error can name the place. */
const DocumentsBody = Type.Unsafe<unknown>({
  description: 'One document, or an array of documents: { id, title?, text, attributes? }.',
  examples: [[EXAMPLE]],
});
const DocumentsStream = Type.Unsafe<unknown>({
  description: 'One document a line, streamed: any length.',
  examples: [`${JSON.stringify(EXAMPLE)}\n`],
});

const UpsertQuery = Type.Object(
  {
    atomic: Type.Boolean({
      default: false,
      description:
        'All documents or none: they are held in memory, so the body may have bodyLimit bytes (8 MiB) at most.',
    }),
  },
  { additionalProperties: false },
);

/** They are deleted as one unit of work. */
const MOST_DELETED = 1000;

const UpsertReply = Type.Object({ ...UpsertCounts, generation: Generation });
const DeleteReply = Type.Object({
  deleted: Type.Integer({ description: 'Documents that were there.' }),
  generation: Generation,
});
const DeleteBody = Type.Object(
  {
    ids: Type.Array(Type.String(), {
      maxItems: MOST_DELETED,
      description: 'Those that are not there are ignored.',
    }),
  },
  { additionalProperties: false, examples: [{ ids: ['job-17'] }] },
);
const tags = ['documents'];
const IdParams = Type.Object({ id: Type.String({ minLength: 1 }) });

const DESCRIPTION = `Inserts documents, or replaces those with the same id. What is acknowledged is durable and \
visible to the next search, from any connection.

Documents are stored in slices, each durable before the next. At a bad document, what stood before it stays: the \
error bears the place (\`line\` of NDJSON, counted from 1, or \`document\` of an array, counted from 0) and what was \
\`stored\`. The same holds for what was written before a client left. With \`atomic=true\` all documents are stored \
or none. An array, and a body that is to be stored as a whole, may have 8 MiB (bodyLimit); NDJSON may have any length. Sending \
documents again that are stored already costs little.

Attributes get their types as with \`seine ingest\`: ISO 8601 dates become timestamps, arrays sets, { lat, lon } \
points; an attribute that the index knows keeps its type.`;

/** `POST /documents`, in a scope of its own: no other route reads a body as it comes. */
const upsertRoute: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  const { index, settings, bodies } = service;
  const { bodyLimit, requestTimeoutMs: idleMs } = settings;
  const sizer = new SliceSizer(16_384);
  // The body's stream itself: it is read as documents are stored.
  app.addContentTypeParser(STREAMED, (_request, payload, done) => done(null, payload));

  app.post(
    '/documents',
    {
      config: { access: 'write' },
      schema: {
        tags,
        summary: 'Upsert documents',
        description: DESCRIPTION,
        querystring: UpsertQuery,
        body: Type.Unsafe<unknown>({
          content: {
            'application/json': { schema: DocumentsBody },
            [STREAMED]: { schema: DocumentsStream },
          },
        }),
        response: { 200: UpsertReply, ...failures },
      },
    },
    async (request, reply) => {
      const { atomic } = request.query;
      const streamed = request.body === request.raw;
      let begun = false;
      const entries = streamed
        ? ndjsonEntries(
            bodyChunks(request.raw, {
              idleMs,
              maxBytes: atomic ? bodyLimit : undefined,
              hold: atomic ? (bytes) => bodies.hold(request, bytes) : undefined,
              signal: clientSignal(reply),
            }),
            bodyLimit,
          )
        : jsonEntries(request.body);
      return bulkUpsert(entries, {
        info: await index.info(),
        atomic,
        sizer,
        upsert: (documents, onStart) =>
          admitted(service, request, reply, { workload: 'bulk', begun }, ({ signal }) => {
            begun = true;
            return index.upsert(documents, { background: true, signal, onStart });
          }),
      });
    },
  );
};

/** `/documents`: upsert, get, delete. */
export const documentRoutes: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  const { index } = service;
  await app.register(upsertRoute, { service });

  const remove = (request: FastifyRequest, reply: FastifyReply, ids: string[]): Promise<DeleteResult> =>
    admitted(service, request, reply, { workload: 'bulk' }, ({ signal }) => index.delete(ids, { signal }));

  app.get(
    '/documents/:id',
    {
      schema: {
        tags,
        summary: 'Get a document',
        params: IdParams,
        response: { 200: DocumentJson, ...failures },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const document = await admitted(service, request, reply, {}, () => index.get(id));
      if (document === undefined) throw missing(id);
      return documentToJson(document);
    },
  );

  app.delete(
    '/documents/:id',
    {
      config: { access: 'write' },
      schema: {
        tags,
        summary: 'Delete a document',
        description: 'One that is not there is no error.',
        params: IdParams,
        response: { 200: DeleteReply, ...failures },
      },
    },
    (request, reply) => remove(request, reply, [request.params.id]),
  );

  app.post(
    '/documents/delete',
    {
      config: { access: 'write' },
      schema: {
        tags,
        summary: 'Delete documents',
        description: 'All at once.',
        body: DeleteBody,
        response: { 200: DeleteReply, ...failures },
      },
    },
    (request, reply) => remove(request, reply, request.body.ids),
  );
};

function documentToJson({ id, title, text, attributes = {} }: Document) {
  return {
    id,
    ...(title !== undefined && title !== '' && { title }),
    text,
    attributes: attributesToJson(attributes),
  };
}

const missing = (id: string): SeineError =>
  new SeineError('ERR_NOT_FOUND', `There is no document with the id ${show(id)}.`);
