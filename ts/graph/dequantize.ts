import { floatOfHalf } from '../core/floatOfHalf.ts';

/** Blocks of 32 numbers (ggml-quants.h of llama.cpp). */
export type BlockFormat = 'Q8_0' | 'Q4_0' | 'Q4_1';

/** How numbers lie in a checkpoint. */
export type TensorFormat = 'F32' | 'F16' | 'BF16' | BlockFormat;

/** Bytes of a block: a scale of 16 bits, for Q4_1 a minimum of 16 bits, then the codes. */
export const BLOCKS: Readonly<Record<BlockFormat, number>> = { Q8_0: 34, Q4_0: 18, Q4_1: 20 };

/** Float32 of little-endian numbers. Exact: each code times its scale is rounded once, as llama.cpp does. */
export function dequantize(format: TensorFormat, raw: Uint8Array, count: number): Float32Array {
  // Every platform that ONNX Runtime runs on is little-endian.
  if (format === 'F32') return new Float32Array(new Uint8Array(raw).buffer);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const out = new Float32Array(count);
  switch (format) {
    case 'F16':
      for (let i = 0; i < count; i++) out[i] = floatOfHalf(view.getUint16(2 * i, true));
      return out;
    case 'BF16': {
      const bits = new Uint32Array(out.buffer);
      for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, true) << 16;
      return out;
    }
    default:
      for (let block = 0; block < count / 32; block++) {
        dequantizeBlock(format, view, block * BLOCKS[format], out, block * 32);
      }
      return out;
  }
}

/** In blocks of 4 bits byte i holds number i below and number i + 16 above. */
function dequantizeBlock(
  format: BlockFormat,
  view: DataView,
  at: number,
  out: Float32Array,
  to: number,
): void {
  const scale = floatOfHalf(view.getUint16(at, true));
  if (format === 'Q8_0') {
    for (let i = 0; i < 32; i++) out[to + i] = view.getInt8(at + 2 + i) * scale;
    return;
  }
  const minimum = format === 'Q4_1' ? floatOfHalf(view.getUint16(at + 2, true)) : 0;
  const middle = format === 'Q4_0' ? 8 : 0;
  const codes = at + (format === 'Q4_1' ? 4 : 2);
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(codes + i);
    out[to + i] = Math.fround(((byte & 15) - middle) * scale) + minimum;
    out[to + i + 16] = Math.fround(((byte >> 4) - middle) * scale) + minimum;
  }
}
