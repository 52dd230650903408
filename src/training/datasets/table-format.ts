import { parse, type CsvError, type Options } from 'csv-parse'
import { parse as parseNow } from 'csv-parse/sync'
import { Readable } from 'node:stream'
import { DatasetError } from '../../errors.ts'

/** One row of a table as it is met in its file. */
export interface TableRow {
  /** By column name. */
  readonly fields: Readonly<Record<string, unknown>>
  /** The bytes that the row alone can be read from again. */
  readonly start: number
  readonly end: number
  /** Of its last line, from 1. */
  readonly line: number
}

/** How a kind of table is read. */
export interface TableReader {
  /** All rows of a file. @throws DatasetError naming path, line and, where it is about one, column */
  rows (bytes: AsyncIterable<Uint8Array>, path: string): AsyncIterable<TableRow>
  /** A row again, from its bytes alone: its fields by the place of their column, or by its name. */
  fields (bytes: Uint8Array, names: readonly string[]): TableRow['fields']
}

export type TableFormat = 'csv' | 'tsv' | 'jsonl'

/** A row may be as long as a book, but an open quote must not swallow the file. */
const MAX_ROW_BYTES = 2 ** 24

const CSV: Options = { bom: true, info: true, skip_empty_lines: true, max_record_size: MAX_ROW_BYTES }
/** Tabs can't be inside a field, so quotes are only quotes: "text/tab-separated-values" knows no others. */
const TSV: Options = { ...CSV, delimiter: '\t', quote: null, escape: null }

/** By the end of its name, `.gz` aside. */
export function formatOf (path: string): TableFormat {
  const [, format] = /\.(csv|tsv|jsonl|ndjson)(?:\.gz)?$/i.exec(path) ?? []
  if (format === undefined) throw new DatasetError(`${path} has to end in .csv, .tsv or .jsonl, or one of these with .gz`)
  return format.toLowerCase() === 'ndjson' ? 'jsonl' : format.toLowerCase() as TableFormat
}

/** @param columns names for a CSV or TSV file whose first line is a row already */
export function tableReader (format: TableFormat, columns?: readonly string[]): TableReader {
  switch (format) {
    case 'csv': return separatedReader(CSV, columns)
    case 'tsv': return separatedReader(TSV, columns)
    case 'jsonl': return { rows: jsonRows, fields: bytes => JSON.parse(new TextDecoder().decode(bytes)) as TableRow['fields'] }
  }
}

function separatedReader (options: Options, columns: readonly string[] | undefined): TableReader {
  return {
    rows: (bytes, path) => separatedRows(bytes, path, options, columns),
    fields: (bytes, names) => {
      const [{ record }] = parseNow(bytes, options) as unknown as [ParsedRecord]
      return namedFields(names, record)
    }
  }
}

function namedFields (names: readonly string[], record: readonly string[]): TableRow['fields'] {
  return Object.fromEntries(names.map((name, index) => [name, record[index]]))
}

interface ParsedRecord { record: string[], info: { bytes: number, lines: number } }

async function * separatedRows (bytes: AsyncIterable<Uint8Array>, path: string, options: Options, columns: readonly string[] | undefined): AsyncGenerator<TableRow> {
  let names = columns
  let start = 0
  const parser = Readable.from(bytes).pipe(parse(options))
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRecord>) {
      if (names === undefined) {
        names = header(record, path)
      } else {
        if (record.length !== names.length) throw new DatasetError(`${path}, line ${info.lines}: ${record.length} fields, expected ${names.length} (${names.join(', ')})`)
        yield { fields: namedFields(names, record), start, end: info.bytes, line: info.lines }
      }
      start = info.bytes
    }
  } catch (error) {
    throw problemOf(error as Error, path, names)
  }
}

function header (record: readonly string[], path: string): string[] {
  const names = record.map(name => name.trim())
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined) throw new DatasetError(`${path}, line 1: two columns are called "${repeated}"`)
  return names
}

/** The parser's own words end with "at line 3", which is said here once for all. */
function problemOf (error: Error, path: string, names: readonly string[] = []): Error {
  if (!isCsvError(error)) return error
  const { lines, index } = error as CsvError & { lines: number, index?: number }
  const column = index === undefined ? '' : `, column ${names[index] ?? index + 1}`
  return new DatasetError(`${path}, line ${lines}${column}: ${error.message.replace(/^[^:]*: /, '').replace(/,? (at|on) line \d+/, '')}`)
}

function isCsvError (error: Error): error is CsvError {
  return 'code' in error && 'lines' in error && typeof error.lines === 'number'
}

const LINE_FEED = 0x0a

async function * jsonRows (bytes: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<TableRow> {
  let number = 0
  for await (const { text, start, end } of lines(bytes, path)) {
    number++
    if (text.trim() !== '') yield { fields: parseObject(text, path, number), start, end, line: number }
  }
}

/** Lines with the bytes they come from; a line's end may be \n or \r\n, the last line's may be missing. */
async function * lines (bytes: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<{ text: string, start: number, end: number }> {
  let rest: Buffer = Buffer.alloc(0)
  let start = 0
  for await (const chunk of bytes) {
    let from = 0
    const all = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk])
    for (let to = all.indexOf(LINE_FEED, rest.length); to >= 0; to = all.indexOf(LINE_FEED, from)) {
      yield { text: all.toString('utf8', from, to), start, end: start + to + 1 - from }
      start += to + 1 - from
      from = to + 1
    }
    rest = all.subarray(from)
    if (rest.length > MAX_ROW_BYTES) throw new DatasetError(`${path}: a line is longer than ${MAX_ROW_BYTES} bytes`)
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), start, end: start + rest.length }
}

function parseObject (text: string, path: string, line: number): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new DatasetError(`${path}, line ${line}: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DatasetError(`${path}, line ${line}: an object is expected, as {"text": "…", "label": "…"}`)
  return value as Record<string, unknown>
}
