import h5wasm, { Dataset, File, Group } from 'h5wasm/node'
import { BadModelFileError, CannotImportError } from '../../../errors.ts'

/** Numbers as a Keras file has them. */
export interface StoredArray {
  /** Where in the file, for errors. */
  readonly name: string
  readonly shape: readonly number[]
  readonly read: () => Float32Array
}

/** A folder of an HDF5 file. */
export interface StoredGroup {
  readonly group: (name: string) => StoredGroup | undefined
  readonly array: (name: string) => StoredArray | undefined
  /** Texts of an attribute; one of a text alone is a list of one. Undefined if it is not there. */
  readonly texts: (attribute: string) => readonly string[] | undefined
}

/**
 * Opens an HDF5 file to read and closes it once the work is done.
 *
 * @throws BadModelFileError if it is none, or is cut off
 */
export async function withHdf5<Result> (path: string, shown: string, work: (root: StoredGroup) => Result): Promise<Result> {
  await h5wasm.ready
  let file: File
  try {
    file = new File(path, 'r')
    if (file.file_id < 0n) throw new Error('HDF5 can not open it')
  } catch (error) {
    throw new BadModelFileError(shown, `is no whole HDF5 file: ${(error as Error).message}`)
  }
  try {
    return work(groupOf(shown, file, ''))
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw error
    throw new BadModelFileError(shown, `HDF5 can not read it: ${(error as Error).message}`)
  } finally {
    file.close()
  }
}

function groupOf (shown: string, group: Group, place: string): StoredGroup {
  const find = (name: string): unknown => name.split('/').reduce<unknown>((found, part) => found instanceof Group && found.keys().includes(part) ? found.get(part) : undefined, group)
  const placed = (name: string): string => place === '' ? name : `${place}/${name}`
  return {
    group: name => {
      const found = find(name)
      return found instanceof Group ? groupOf(shown, found, placed(name)) : undefined
    },
    array: name => {
      const found = find(name)
      return found instanceof Dataset ? arrayOf(shown, found, placed(name)) : undefined
    },
    texts: attribute => {
      if (!Object.hasOwn(group.attrs, attribute)) return undefined
      const { value } = group.attrs[attribute]!
      const list: unknown[] = Array.isArray(value) ? value : ArrayBuffer.isView(value) ? [] : [value]
      return list.map(String)
    }
  }
}

function arrayOf (shown: string, dataset: Dataset, name: string): StoredArray {
  const { shape } = dataset
  if (shape === null) throw new BadModelFileError(shown, `${name} holds nothing`)
  return {
    name,
    shape,
    read: () => {
      const { value } = dataset
      if (value instanceof Float32Array) return value
      if (typeof value === 'number') return Float32Array.of(value)
      if (value instanceof Float64Array || value instanceof Int32Array || value instanceof Uint8Array) return Float32Array.from(value)
      throw new CannotImportError(`${shown}: ${name}`, `its numbers are of the type ${typeof dataset.dtype === 'string' ? dataset.dtype : 'compound'}; float32 can be read`)
    }
  }
}
