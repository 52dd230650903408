import { addressOf } from './buffer.ts'
import { writeViewElement } from './strings.ts'
import { Tensor } from './tensor.ts'

/**
 * A scalar string whose bytes stay in JavaScript's memory, to be pointed at others before each run: a tensor made for each costs more than to feed it. Only for graphs that do
 * not keep what they are fed, as variables and queues would.
 */
export class StringView {
  /** What is fed. */
  readonly tensor = Tensor.emptyString()
  readonly #element = wordsOf(this.tensor)

  /** @param bytes to be kept referenced and as they are for as long as a run uses the tensor */
  point (bytes: Uint8Array): void {
    writeViewElement(this.#element, addressOf(bytes), bytes.byteLength)
  }
}

function wordsOf ({ bytes }: Tensor): BigUint64Array {
  return new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / BigUint64Array.BYTES_PER_ELEMENT)
}
