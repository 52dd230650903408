import { DatasetError } from '../../errors.ts'
import { openBytes, type ByteRange } from './byte-source.ts'
import { formatOf, tableReader } from './table-format.ts'

/** Texts and their classes. The texts stay where they are until they are asked for. */
export interface LabelledTexts {
  /** A class for each row, by its place in the list of classes. */
  readonly labels: Int32Array
  /** @param rows which ones, in this order */
  readonly texts: (rows: Iterable<number>) => Promise<string[]>
}

export interface TextFileOptions {
  readonly path: string
  /** Names for a CSV or TSV file whose first line is a row already; default: the first line has them. */
  readonly columns?: readonly string[]
  readonly textColumn: string
  readonly labelColumn: string
}

/** A text file that was walked through once: where its rows are, and what classes there are. */
export interface TextFile {
  readonly path: string
  /** Each row's label as it is written. */
  readonly labels: readonly string[]
  readonly texts: (rows: Iterable<number>) => Promise<string[]>
}

/**
 * Reads a CSV, TSV or JSONL file of labelled texts once, to find its rows and check them. Only labels and row offsets are kept, so the file
 * may be larger than the memory.
 *
 * @throws DatasetError naming path, line and column of what is wrong
 */
export async function openTextFile ({ path, columns, textColumn, labelColumn }: TextFileOptions): Promise<TextFile> {
  const reader = tableReader(formatOf(path), columns)
  const source = await openBytes(path)
  const labels: string[] = []
  const ranges: ByteRange[] = []
  const known = new Map<string, string>()
  let names = columns
  for await (const { fields, start, end, line } of reader.rows(source.stream(), path)) {
    names ??= Object.keys(fields)
    textField(fields, textColumn, path, line)
    const label = labelField(fields, labelColumn, path, line)
    if (!known.has(label)) known.set(label, label) // one string for each class, not one for each row
    labels.push(known.get(label)!)
    ranges.push([start, end])
  }
  if (labels.length === 0) throw new DatasetError(`${path} has no rows`)
  return {
    path,
    labels,
    texts: async rows => {
      const slices = await source.slices(Array.from(rows, row => ranges[row]!))
      return slices.map(bytes => reader.fields(bytes, names!)[textColumn] as string)
    }
  }
}

/** The classes of a file: its labels, each once, numbers by size and words in alphabetical order. @throws DatasetError if there are less than two */
export function classesOf ({ path, labels }: TextFile): string[] {
  const classes = [...new Set(labels)].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
  if (classes.length < 2) throw new DatasetError(`${path}: every label is "${classes[0]}"; two classes at least are needed`)
  return classes
}

/** Numbers a file's labels. @param rows those to take; default all @throws DatasetError for a label that is none of the classes */
export function labelledTexts ({ path, labels, texts }: TextFile, classes: readonly string[], rows?: Int32Array): LabelledTexts {
  const numbers = new Map(classes.map((name, number) => [name, number]))
  const chosen = rows ?? Int32Array.from(labels.keys())
  return {
    labels: chosen.map(row => {
      const number = numbers.get(labels[row]!)
      if (number === undefined) throw new DatasetError(`${path} has the label "${labels[row]}", which is none of ${classes.join(', ')}`)
      return number
    }),
    texts: async wanted => await texts(Array.from(wanted, row => chosen[row]!))
  }
}

function textField (fields: Readonly<Record<string, unknown>>, column: string, path: string, line: number): string {
  const value = fieldOf(fields, column, path, line)
  if (typeof value !== 'string') throw new DatasetError(`${path}, line ${line}, column ${column}: a text is expected, not ${JSON.stringify(value)}`)
  return value
}

function labelField (fields: Readonly<Record<string, unknown>>, column: string, path: string, line: number): string {
  const value = fieldOf(fields, column, path, line)
  const isLabel = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  if (!isLabel || String(value).trim() === '') throw new DatasetError(`${path}, line ${line}, column ${column}: a label is expected, not ${JSON.stringify(value)}`)
  return String(value).trim()
}

function fieldOf (fields: Readonly<Record<string, unknown>>, column: string, path: string, line: number): unknown {
  if (!(column in fields)) throw new DatasetError(`${path}, line ${line}: there is no column "${column}"; there are: ${Object.keys(fields).join(', ')}`)
  return fields[column]
}
