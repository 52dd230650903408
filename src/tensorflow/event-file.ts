import { create, toBinary } from '@bufbuild/protobuf'
import { maskedCrc32c } from './crc32c.ts'
import { EventSchema } from './proto/tensorflow_pb.js'

/** Figures of one moment, for TensorBoard. */
export interface ScalarEvent {
  /** Milliseconds since 1970. */
  readonly timeMs: number
  readonly step: number
  /** By tag: `epoch_loss`. */
  readonly scalars: Readonly<Record<string, number>>
}

/** The first record of an event file, without which TensorBoard does not read on. */
export function eventFileHeader (timeMs: number): Uint8Array {
  return record(toBinary(EventSchema, create(EventSchema, { wallTime: timeMs / 1000, what: { case: 'fileVersion', value: 'brain.Event:2' } })))
}

/** One record of an event file. */
export function scalarRecord ({ timeMs, step, scalars }: ScalarEvent): Uint8Array {
  const value = Object.entries(scalars).map(([tag, number]) => ({ tag, value: { case: 'simpleValue' as const, value: number } }))
  return record(toBinary(EventSchema, create(EventSchema, { wallTime: timeMs / 1000, step: BigInt(step), what: { case: 'summary', value: { value } } })))
}

/** TFRecord: length (uint64), its checksum (uint32), the message, its checksum. */
function record (message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + message.length + 4)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(message.length), true)
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true)
  bytes.set(message, 12)
  view.setUint32(12 + message.length, maskedCrc32c(message), true)
  return bytes
}
