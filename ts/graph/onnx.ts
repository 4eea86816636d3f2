/** The part of the ONNX format that Seine writes; field numbers are those of onnx.proto. */

export type DataType = 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';

/** A symbolic dimension bears a name. */
export type Dim = number | string;

/** Integers are written as INT, `{ float }` as FLOAT, arrays as INTS. */
export type Attribute = number | readonly number[] | string | { float: number };

/** Operators that ONNX Runtime adds to those of ONNX. */
export const CONTRIB = 'com.microsoft';

export interface OnnxNode {
  op: string;
  /** ONNX's own if left out. */
  domain?: typeof CONTRIB;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, Attribute>>;
}

export interface OnnxValue {
  name: string;
  type: DataType;
  dims: readonly Dim[];
}

export interface OnnxInitializer {
  name: string;
  type: DataType;
  dims: readonly number[];
  data: Float32Array | BigInt64Array | Int32Array | Int8Array | Uint8Array | ExternalData;
}

/** Bytes of a tensor, row-major and little-endian, that stay in another file. */
export interface ExternalData {
  /** Of the file, relative to the folder that the session is told. */
  location: string;
  offset: number;
  length: number;
}

export interface OnnxModel {
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxInitializer[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
}

/** Numbers of the element types, as `Cast` takes them. */
export const TYPES: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};
const EXTERNAL = 1;
const OPSET = 17;
const IR_VERSION = 8;

/** Protocol-buffer fields in order; byte arrays are kept by reference until `bytes` joins them. */
class Message {
  readonly parts: Uint8Array[] = [];
  length = 0;

  private push(part: Uint8Array): void {
    this.parts.push(part);
    this.length += part.byteLength;
  }

  private varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      bytes.push(rest > 0n ? low | 128 : low);
    } while (rest > 0n);
    this.push(Uint8Array.from(bytes));
  }

  int(field: number, value: number | bigint): void {
    this.varint(field << 3);
    this.varint(value);
  }

  float(field: number, value: number): void {
    this.varint((field << 3) | 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.push(bytes);
  }

  bytes(field: number, value: Uint8Array): void {
    this.varint((field << 3) | 2);
    this.varint(value.byteLength);
    this.push(value);
  }

  string(field: number, value: string): void {
    this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, write: (message: Message) => void): void {
    const inner = new Message();
    write(inner);
    this.varint((field << 3) | 2);
    this.varint(inner.length);
    for (const part of inner.parts) this.push(part);
  }

  join(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.byteLength;
    }
    return all;
  }
}

function writeValue(message: Message, { name, type, dims }: OnnxValue): void {
  message.string(1, name);
  message.message(2, (valueType) =>
    valueType.message(1, (tensor) => {
      tensor.int(1, TYPES[type]);
      tensor.message(2, (shape) => {
        for (const dim of dims) {
          shape.message(1, (entry) => (typeof dim === 'number' ? entry.int(1, dim) : entry.string(2, dim)));
        }
      });
    }),
  );
}

function writeAttribute(message: Message, name: string, value: Attribute): void {
  message.string(1, name);
  if (typeof value === 'number') {
    message.int(3, value);
    message.int(20, 2);
  } else if (typeof value === 'string') {
    message.string(4, value);
    message.int(20, 3);
  } else if ('float' in value) {
    message.float(2, value.float);
    message.int(20, 1);
  } else {
    for (const item of value) message.int(8, item);
    message.int(20, 7);
  }
}

function writeNode(message: Message, { op, domain, inputs, outputs, attributes = {} }: OnnxNode): void {
  for (const input of inputs) message.string(1, input);
  for (const output of outputs) message.string(2, output);
  message.string(4, op);
  for (const [name, value] of Object.entries(attributes)) {
    message.message(5, (attribute) => writeAttribute(attribute, name, value));
  }
  if (domain !== undefined) message.string(7, domain);
}

function writeInitializer(message: Message, { name, type, dims, data }: OnnxInitializer): void {
  for (const dim of dims) message.int(1, dim);
  message.int(2, TYPES[type]);
  message.string(8, name);
  if (ArrayBuffer.isView(data)) {
    message.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return;
  }
  for (const [key, value] of Object.entries(data)) {
    message.message(13, (entry) => {
      entry.string(1, key);
      entry.string(2, String(value));
    });
  }
  message.int(14, EXTERNAL);
}

/** The bytes of an ONNX file of opset 17. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  const file = new Message();
  file.int(1, IR_VERSION);
  file.string(2, 'seine');
  file.message(7, (graph) => {
    for (const node of model.nodes) graph.message(1, (message) => writeNode(message, node));
    graph.string(2, 'graph');
    for (const initializer of model.initializers) {
      graph.message(5, (message) => writeInitializer(message, initializer));
    }
    for (const input of model.inputs) graph.message(11, (message) => writeValue(message, input));
    for (const output of model.outputs) graph.message(12, (message) => writeValue(message, output));
  });
  file.message(8, (opset) => {
    opset.string(1, '');
    opset.int(2, OPSET);
  });
  if (model.nodes.some(({ domain }) => domain === CONTRIB)) {
    file.message(8, (opset) => {
      opset.string(1, CONTRIB);
      opset.int(2, 1);
    });
  }
  return file.join();
}
