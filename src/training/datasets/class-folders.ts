import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from '../../errors.ts'
import { derivedSeed, shuffledRows } from '../random.ts'

/** A file and the number of its class. */
export interface LabelledFile {
  readonly path: string
  readonly label: number
}

/** Files of class folders, in two parts. */
export interface ClassFolders {
  /** Folder names in alphabetical order: the class's number is its place. */
  readonly classes: readonly string[]
  readonly train: readonly LabelledFile[]
  /** Never learned from. */
  readonly validation: readonly LabelledFile[]
}

/** Names that a folder of held-out examples may have beside `train`. */
const VALIDATION_NAMES = ['val', 'validation', 'valid', 'test']
/** What is held out where the folder does not say: every fifth file of each class. */
const VALIDATION_SHARE = 0.2

/**
 * Finds the files of a folder of class folders: `train/<class>/…` beside `val/<class>/…`, or `<class>/…`, of which a fifth of each class, that
 * the seed decides, is held out. Hidden files and folders don't count.
 *
 * @throws DatasetError if there are fewer than two classes, or a class has too few files for both parts
 */
export async function findClassFolders (directory: string, seed: number): Promise<ClassFolders> {
  const names = (await entries(directory)).filter(isFolder).map(({ name }) => name)
  if (!names.includes('train')) return split(await findFiles(directory), seed)
  const train = await findFiles(join(directory, 'train'))
  const heldOut = VALIDATION_NAMES.find(name => names.includes(name))
  if (heldOut === undefined) return split(train, seed)
  const validation = await findFiles(join(directory, heldOut))
  const unknown = validation.classes.find(name => !train.classes.includes(name))
  if (unknown !== undefined) throw new DatasetError(`${join(directory, heldOut)} has the class "${unknown}", which ${join(directory, 'train')} has not`)
  return {
    classes: train.classes,
    train: train.files,
    validation: validation.files.map(({ path, label }) => ({ path, label: train.classes.indexOf(validation.classes[label]!) }))
  }
}

interface Files {
  readonly directory: string
  readonly classes: readonly string[]
  readonly files: readonly LabelledFile[]
}

async function findFiles (directory: string): Promise<Files> {
  const classes = (await entries(directory)).filter(isFolder).map(({ name }) => name).sort()
  if (classes.length < 2) throw new DatasetError(`${directory} has ${classes.length === 0 ? 'no class folders' : `one class folder, "${classes[0]}"`}: give each class a folder of its own, two at least`)
  const files: LabelledFile[] = []
  for (const [label, name] of classes.entries()) {
    const found = (await entries(join(directory, name))).filter(({ kind }) => kind === 'file').map(({ name }) => name).sort()
    if (found.length === 0) throw new DatasetError(`The class folder ${join(directory, name)} is empty`)
    files.push(...found.map(file => ({ path: join(directory, name, file), label })))
  }
  return { directory, classes, files }
}

/** Each class by itself, so that every one is in both parts. */
function split ({ directory, classes, files }: Files, seed: number): ClassFolders {
  const train: LabelledFile[] = []
  const validation: LabelledFile[] = []
  for (const [label, name] of classes.entries()) {
    const own = files.filter(file => file.label === label)
    const heldOut = Math.max(1, Math.round(own.length * VALIDATION_SHARE))
    if (own.length < 2) throw new DatasetError(`The class folder ${join(directory, name)} has one file: one to learn from and one to measure with are needed`)
    const order = shuffledRows(own.length, derivedSeed(seed, label))
    validation.push(...[...order.subarray(0, heldOut)].map(row => own[row]!))
    train.push(...[...order.subarray(heldOut)].map(row => own[row]!))
  }
  return { classes, train, validation }
}

interface Entry { readonly name: string, readonly kind: 'folder' | 'file' | 'other' }

/** Without hidden ones; a link counts as what it leads to. */
async function entries (directory: string): Promise<Entry[]> {
  const found = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new DatasetError(`There is no folder ${directory}`)
    throw new DatasetError(`${directory} can not be read: ${error.message}`)
  })
  return Promise.all(found.filter(({ name }) => !name.startsWith('.')).map(async entry => {
    const target = entry.isSymbolicLink() ? await stat(join(directory, entry.name)).catch(() => undefined) : entry
    const kind = target?.isDirectory() === true ? 'folder' : target?.isFile() === true ? 'file' : 'other'
    return { name: entry.name, kind }
  }))
}

function isFolder ({ kind }: Entry): boolean {
  return kind === 'folder'
}
