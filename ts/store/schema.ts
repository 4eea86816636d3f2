/** "Sein" in ASCII: says in the file's header that it is an index of Seine. */
export const APPLICATION_ID = 0x5365696e;
export const SCHEMA_VERSION = 1;

/**
 * The tables of a new index. Small columns stand first, so that reading them does not walk through long texts.
 * Title and text are UTF-8 blobs, because SQLite's text ends at NUL for those who read it.
 *
 * documents  one version each; `deleted` is the generation at which it was deleted or replaced; `hash` is over the
 *            whole content, `crc` over key, id and attributes, which are read without the text
 * passages   one vector each; `crc` is over it and what it belongs to
 * models     state: active (at most one), building (at most one), dropped (rows are being removed)
 * segments   files with copies of vectors of the active model, rows with keys in [from_row, to_row]
 * words      full-text index of live documents; it keeps no content, so removal repeats the words
 */
export const SCHEMA = `
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('generation', 0), ('complete_since', 0), ('documents', 0);
CREATE TABLE documents (
  doc INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  created INTEGER NOT NULL,
  deleted INTEGER,
  hash BLOB NOT NULL,
  crc INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  title BLOB NOT NULL,
  text BLOB NOT NULL
);
CREATE UNIQUE INDEX documents_id ON documents (id) WHERE deleted IS NULL;
CREATE INDEX documents_created ON documents (created);
CREATE INDEX documents_deleted ON documents (deleted) WHERE deleted IS NOT NULL;
CREATE TABLE attributes (name TEXT PRIMARY KEY, type TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE models (
  model INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  dim INTEGER NOT NULL,
  max_tokens INTEGER NOT NULL,
  passages INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'building', 'dropped')),
  live_rows INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE passages (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  doc INTEGER NOT NULL,
  model INTEGER NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  vector BLOB NOT NULL
);
CREATE INDEX passages_doc ON passages (doc, model);
CREATE TABLE segments (
  name TEXT PRIMARY KEY,
  from_row INTEGER NOT NULL,
  to_row INTEGER NOT NULL,
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
  title, text, content = '', tokenize = 'unicode61 remove_diacritics 2'
)`;
