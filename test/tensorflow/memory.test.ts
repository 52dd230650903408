import { readFileSync } from 'node:fs'
import t from 'tap'
import { floats, Graph, releaseMemory, Session } from '../../src/tensorflow/index.ts'
import { unwrittenParts } from '../../src/tensorflow/memory.ts'

interface Part {
  readonly permissions?: string
  readonly path?: string
  readonly kib?: number
  /** Of its pages, in KiB, those that are the process's own. */
  readonly own?: number
  /** And those of them that are swapped out. */
  readonly swapped?: number
}

const ADDRESS = 0x7f00_0000_0000

/** A mapping as the kernel tells of it. */
function mapping ({ permissions = 'r-xp', path = '/lib/libtensorflow_cc.so.2', kib = 2048, own = 0, swapped = 0 }: Part): string {
  const address = (bytes: number): string => bytes.toString(16)
  return [
    `${address(ADDRESS)}-${address(ADDRESS + kib * 1024)} ${permissions} 0eb00000 fd:00 1718                    ${path}`.trimEnd(),
    `Size:             ${kib} kB`,
    `Rss:              ${kib} kB`,
    `Private_Dirty:         ${own} kB`,
    `Anonymous:             ${own} kB`,
    `Swap:                  ${swapped} kB`,
    'VmFlags: rd ex mr mw me sd',
    ''
  ].join('\n')
}

t.test('only parts of libraries that are as in the file are given back', async t => {
  t.strictSame(unwrittenParts(mapping({}) + mapping({ permissions: 'r--p' })), [1, 2].map(() => ({ address: ADDRESS, sizeBytes: 2 ** 21 })))
  for (const other of [{ own: 4 }, { swapped: 4 }, { permissions: 'rw-p' }, { permissions: 'r--s' }, { permissions: '---p' }, { path: '' }, { path: '[stack]' }, { path: '/data/photos.bin' }, { kib: 1020 }]) {
    t.strictSame(unwrittenParts(mapping(other)), [], JSON.stringify(other))
  }
  t.strictSame(unwrittenParts(''), [])
})

t.test('memory that libraries took to be opened is given back, and sessions run on', { skip: process.platform === 'linux' ? false : 'Linux\'s memory only' }, async t => {
  const graph = new Graph()
  const session = new Session(graph)
  const [a, b] = ['a', 'b'].map(() => graph.placeholder('float32', [2, 2])) as [ReturnType<Graph['placeholder']>, ReturnType<Graph['placeholder']>]
  const product = graph.apply('MatMul', [a, b])
  const run = async (): Promise<number[]> => {
    const [found] = await session.run({ feeds: [[a, floats([2, 2], [1, 2, 3, 4])], [b, floats([2, 2], [0, 1, 1, 0])]], fetches: [product] })
    return [...found!.data as Float32Array]
  }
  t.strictSame(await run(), [2, 1, 4, 3])
  const before = residentFileBytes()
  await releaseMemory()
  const after = residentFileBytes()
  t.ok(after < 0.6 * before, `${before} → ${after} bytes`)
  t.strictSame(await run(), [2, 1, 4, 3])
  await session.close()
  await graph.close()
})

/** Of the files that this process has mapped. */
function residentFileBytes (): number {
  return 1024 * Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1])
}
