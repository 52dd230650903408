import type { ValueDType } from '../../tensorflow/dtype.ts'

/** A Python tuple; apart from a list, which is a plain array here. */
export class PickleTuple {
  readonly items: readonly PickleValue[]

  constructor (items: readonly PickleValue[]) {
    this.items = items
  }
}

/** A name that the pickle refers to. It stands for itself: nothing of that name is looked up or called. */
export type PickleGlobal =
  | { readonly kind: 'ordered-dict' }
  | { readonly kind: 'rebuild-tensor' }
  | { readonly kind: 'rebuild-parameter' }
  | { readonly kind: 'storage-type', readonly dtype: ValueDType }

/** The block of numbers that a tensor looks into; `key` finds it later in the file. */
export interface PickleStorage {
  readonly kind: 'storage'
  readonly key: string
  readonly dtype: ValueDType
  /** Elements. */
  readonly length: number
}

/** Where a tensor's elements are in its storage: element (i, j…) is at offset + i × strides[0] + j × strides[1] …, all inside. */
export interface PickleTensor {
  readonly kind: 'tensor'
  readonly storage: PickleStorage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** A dictionary; a Map, so that no key can mean anything to JavaScript. */
export type PickleDict = Map<string, PickleValue>

export type PickleValue =
  | null | boolean | number | bigint | string | PickleTuple | PickleValue[] | PickleDict | PickleGlobal | PickleStorage | PickleTensor

/** Text from a file, fit to be printed: cut, quoted, and without control characters. */
export function quote (text: string): string {
  return JSON.stringify(text.slice(0, 80)).replace(/[\u007f-\u009f]/g, '?')
}

/** A few words on a value, for messages. Never looks deeper: values can hold themselves. */
export function describe (value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'None'
  if (typeof value === 'string') return `the string ${quote(value)}`
  if (typeof value !== 'object') return String(value)
  if (value instanceof PickleTuple) return `a tuple of ${value.items.length}`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof Map) return `a dictionary of ${value.size}`
  return `a ${value.kind.replaceAll('-', ' ')}`
}
