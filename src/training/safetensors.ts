import { open, type FileHandle } from 'node:fs/promises'
import { BadWeightsError } from '../errors.ts'
import { bytesOf, dtypeSizeBytes, elementCount, numericArray, type NumericArray, type TensorValue, type ValueDType } from '../tensorflow/index.ts'
import { replaceFile } from './replace-file.ts'

/**
 * Files of tensors as others read them too: eight bytes that say how long the header is, the header in JSON, then the tensors' bytes.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, TensorValue>
  readonly metadata: Readonly<Record<string, string>>
}

const DTYPES: Readonly<Partial<Record<ValueDType, string>>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL'
}
const BY_NAME = new Map(Object.entries(DTYPES).map(([dtype, name]) => [name, dtype as ValueDType]))

const LENGTH_BYTES = 8
/** As the format's own reader has it. */
const MAX_HEADER_BYTES = 100_000_000

/** Replaces the file whole or not at all. @throws Error for tensors of strings or complex numbers */
export async function writeSafetensors (path: string, { tensors, metadata }: Safetensors): Promise<void> {
  let offset = 0
  const entries = [...tensors].map(([name, { dtype, shape, data }]) => {
    const dtypeName = DTYPES[dtype]
    if (dtypeName === undefined) throw new Error(`Tensors of type ${dtype} can not be saved. This is a bug.`)
    const start = offset
    offset += (data as NumericArray).byteLength
    return [name, { dtype: dtypeName, shape, data_offsets: [start, offset] }]
  })
  const json = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) as object }))
  const header = Buffer.concat([json, Buffer.alloc(-json.length & 7, ' ')]) // so that the tensors lie on multiples of 8
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeBigUInt64LE(BigInt(header.length))
  await replaceFile(path, [length, header, ...[...tensors.values()].map(({ data }) => bytesOf(data as NumericArray))])
}

/** @throws BadWeightsError if the file is not of this format, or holds less than its header says */
export async function readSafetensors (path: string): Promise<Safetensors> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const headerBytes = Number((await readAt(file, path, 0, LENGTH_BYTES)).readBigUInt64LE())
    if (headerBytes > Math.min(MAX_HEADER_BYTES, size - LENGTH_BYTES)) throw new BadWeightsError(`${path} is not a safetensors file: its header can not be ${headerBytes} bytes`)
    const { __metadata__: metadata = {}, ...entries } = parseHeader(path, (await readAt(file, path, LENGTH_BYTES, headerBytes)).toString())
    const base = LENGTH_BYTES + headerBytes
    const tensors = new Map<string, TensorValue>()
    for (const [name, entry] of Object.entries(entries)) {
      const { dtype, shape, start, sizeBytes } = checkedEntry(path, name, entry, size - base)
      tensors.set(name, { dtype, shape, data: numericArray(dtype, await readAt(file, path, base + start, sizeBytes)) })
    }
    return { tensors, metadata: metadata as Record<string, string> }
  } finally {
    await file.close()
  }
}

function parseHeader (path: string, text: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(text)
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) return header as Record<string, unknown>
  } catch {}
  throw new BadWeightsError(`${path} is not a safetensors file: its header is no JSON object`)
}

interface Entry { dtype: ValueDType, shape: number[], start: number, sizeBytes: number }

function checkedEntry (path: string, name: string, entry: unknown, available: number): Entry {
  const { dtype: dtypeName, shape, data_offsets: offsets } = (entry ?? {}) as { dtype?: unknown, shape?: unknown, data_offsets?: unknown }
  const dtype = BY_NAME.get(dtypeName as string)
  if (dtype === undefined) throw new BadWeightsError(`${path}: tensor "${name}" is of type ${String(dtypeName)}, which is not read here`)
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) throw new BadWeightsError(`${path}: the shape or place of tensor "${name}" is broken`)
  const [start, end] = offsets as [number, number]
  const sizeBytes = elementCount(shape) * dtypeSizeBytes(dtype)
  if (end - start !== sizeBytes || end > available) throw new BadWeightsError(`${path}: tensor "${name}" should be ${sizeBytes} bytes, but lies from ${start} to ${end} of ${available}`)
  return { dtype, shape, start, sizeBytes }
}

function isSizes (value: unknown): value is number[] {
  return Array.isArray(value) && value.every(side => Number.isSafeInteger(side) && side >= 0)
}

/** Bytes of their own. */
async function readAt (file: FileHandle, path: string, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.from(new ArrayBuffer(length))
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) throw new BadWeightsError(`${path} ends after ${position + done} bytes`)
    done += bytesRead
  }
  return bytes
}
