import { SeineError } from '../core/errors.ts';
import type { DeviceName } from '../core/types.ts';

/** What goes wrong inside a device is a device error, whatever its library throws. */
export async function deviceErrors<T>(device: DeviceName, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof SeineError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SeineError('ERR_DEVICE', `The ${device} device failed: ${why}`, { cause });
  }
}
