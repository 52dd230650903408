import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BadModelFileError, BadOptionError, CannotImportError } from '../../errors.ts'
import { readJson, type JsonObject } from './json.ts'

/** A model by others, told by what its files hold. */
export type ModelFile =
  | { readonly kind: 'layers-model' | 'graph-model', readonly path: string, readonly json: JsonObject }
  | { readonly kind: 'keras-h5' | 'keras-archive' | 'safetensors' | 'pytorch', readonly path: string }

const NAMES: Readonly<Record<ModelFile['kind'], string>> = {
  'layers-model': 'TensorFlow.js layers model',
  'graph-model': 'TensorFlow.js graph model',
  'keras-h5': 'Keras .h5 file',
  'keras-archive': 'Keras .keras file',
  safetensors: 'safetensors file',
  pytorch: 'PyTorch file'
}

export function formatName ({ kind }: ModelFile): string {
  return NAMES[kind]
}

/** Whose first bytes these are. */
const SIGNATURES: readonly (readonly [first: readonly number[], kind: 'keras-h5' | 'keras-archive' | 'pytorch'])[] = [
  [[0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], 'keras-h5'],
  [[0x50, 0x4b, 0x03, 0x04], 'keras-archive'],
  [[0x80, 0x02], 'pytorch']
]

/**
 * Says what a path holds. Names count for nothing, but for `model.json` in a folder.
 *
 * @throws BadOptionError if there is no such file
 * @throws CannotImportError if it is of no known format, with what can be done
 */
export async function openModelFile (given: string): Promise<ModelFile> {
  const path = await isDirectory(given) ? await modelIn(given) : given
  const first = await firstBytes(path)
  const known = SIGNATURES.find(([bytes]) => bytes.every((byte, index) => first[index] === byte))
  if (known !== undefined) return { kind: known[1], path }
  if (first[8] === 0x7b && first.readUInt32LE(4) === 0) return { kind: 'safetensors', path } // a header's length, then {
  if (/^\s*\{/.test(first.toString('latin1'))) return await modelJson(path)
  throw new CannotImportError(path, 'it is no model.json of TensorFlow.js, Keras .keras or .h5, safetensors or PyTorch file')
}

async function isDirectory (path: string): Promise<boolean> {
  const found = await stat(path).catch((error: Error) => { throw new BadOptionError(`There is no model to read: ${error.message}`) })
  return found.isDirectory()
}

async function modelIn (directory: string): Promise<string> {
  const has = async (name: string): Promise<boolean> => await stat(join(directory, name)).then(entry => entry.isFile(), () => false)
  if (await has('model.json')) return join(directory, 'model.json')
  if (await has('saved_model.pb')) throw new CannotImportError(directory, 'it is a SavedModel already: copy the folder to models/<name>/1')
  throw new BadOptionError(`${directory} has no model.json; name the model's file`)
}

/** Enough of them to tell formats apart; zeros where the file is shorter. */
async function firstBytes (path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(16), 0, 16, 0)
    return buffer
  } finally {
    await file.close()
  }
}

async function modelJson (path: string): Promise<ModelFile> {
  const json = readJson(path, await readFile(path, 'utf8'))
  const topology = json['modelTopology']
  if (typeof topology !== 'object' || topology === null) throw new BadModelFileError(path, 'it has no modelTopology, so it is no model.json of TensorFlow.js')
  return { kind: 'node' in topology ? 'graph-model' : 'layers-model', path, json }
}
