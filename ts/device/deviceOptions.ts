import { SeineError, show } from '../core/errors.ts';
import { checkKeys } from './validate.ts';

/** How a device is opened. */
export interface DeviceOptions {
  /**
   * GPUs by their number, as the driver counts them from 0, each once: rows are spread over all of them. By default the
   * first one that can be used. For 'cuda' only.
   */
  devices?: readonly number[] | undefined;
}

const MOST_DEVICES = 64;

export function checkDeviceOptions(options: DeviceOptions, choice: string): void {
  const { devices } = checkKeys(options, 'options', ['devices']);
  if (devices === undefined) return;
  if (choice !== 'cuda') {
    throw new SeineError('ERR_ARGUMENT', `devices go with 'cuda' only, got ${show(choice)}.`);
  }
  const numbers = Array.isArray(devices) ? devices : [];
  const whole = numbers.every((one) => Number.isInteger(one) && one >= 0 && one < 2 ** 31);
  if (
    !whole ||
    numbers.length < 1 ||
    numbers.length > MOST_DEVICES ||
    new Set(numbers).size < numbers.length
  ) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `devices must be an array of 1 to ${MOST_DEVICES} different numbers of GPUs from 0 on, got ${show(devices)}.`,
    );
  }
}
