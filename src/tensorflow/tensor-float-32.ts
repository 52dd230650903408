import koffi from 'koffi'
import { LibraryUnusableError } from '../errors.ts'
import { loadLibrary } from './library.ts'

/** No function of the C API does this. These are C++'s, by the names that GCC and Clang give them. @see tsl/platform/tensor_float_32_utils.h */
const ENABLE = 'void _ZN3tsl32enable_tensor_float_32_executionEb(bool)'
const IS_ENABLED = 'bool _ZN3tsl33tensor_float_32_execution_enabledEv()'

/**
 * Says whether GPUs from Ampere on multiply and convolve float32 in TensorFloat-32, which has 10 bits of mantissa in place of 23 and is several times as fast; TensorFlow's own
 * choice is yes. Holds for every session of the process, also those that XLA compiles; a CPU knows no such numbers.
 *
 * @returns what TensorFlow says of it afterwards
 * @throws LibraryUnusableError where this libtensorflow has no such switch
 */
export function useTensorFloat32 (isOn: boolean): boolean {
  const { path } = loadLibrary()
  try {
    const opened = koffi.load(null) // TensorFlow's libraries are open for all to see
    opened.func(ENABLE)(isOn)
    return opened.func(IS_ENABLED)() as boolean
  } catch (error) {
    throw new LibraryUnusableError(path, `it has no switch for TensorFloat-32: ${(error as Error).message}`)
  }
}
