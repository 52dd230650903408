import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { contractOf, encode, newDecoder, photo } from '../support/images.ts'

/** The threads between operations that all sessions of this process share, by the name that TensorFlow gives them. */
function sharedThreads (): number {
  return readdirSync('/proc/self/task').filter(id => readFileSync(`/proc/self/task/${id}/comm`, 'utf8') === 'tf_Compute\n').length
}

t.test('a JPEG that comes before any model leaves TensorFlow as many threads as there are cores', { skip: process.platform === 'linux' ? false : 'threads are read from /proc' }, async t => {
  await newDecoder().decode(await encode(photo(320, 240)).jpeg().toBuffer(), contractOf({ width: 32, height: 32 }))
  t.equal(sharedThreads(), availableParallelism())
})

t.test('photos that are decoded several at once are the same as one by one', async t => {
  const decoder = newDecoder({ concurrency: 1 })
  const contracts = [contractOf({ width: 32, height: 32 }), contractOf({ width: 20, height: 47, fit: 'contain' }), contractOf({ width: 31, height: 17, fit: 'cover' })]
  const files = await Promise.all([[320, 240], [400, 300], [240, 320], [640, 427], [321, 241]].map(async ([width, height]) => await encode(photo(width!, height!)).jpeg().toBuffer()))
  const jobs = files.flatMap(file => contracts.map(contract => ({ file, contract })))
  const alone: Uint8Array[] = []
  for (const { file, contract } of jobs) alone.push(await decoder.decode(file, contract))
  const together = await Promise.all(jobs.map(async ({ file, contract }) => await decoder.decode(file, contract)))
  t.strictSame(together, alone)
  t.equal(decoder.pending, 0)
})

t.test('a photo that TensorFlow refuses does not take the others with it', async t => {
  const decoder = newDecoder({ concurrency: 1 })
  const good = await encode(photo(320, 240)).jpeg().toBuffer()
  const bad = Buffer.from(good)
  bad[bad.indexOf(Buffer.from([0xff, 0xc0])) + 4] = 12 // bits a channel
  const contract = contractOf({ width: 32, height: 32 })
  const expected = await decoder.decode(good, contract)
  const found = await Promise.allSettled([good, good, bad, good, good].map(async file => await decoder.decode(file, contract)))
  t.strictSame(found.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  for (const outcome of found) if (outcome.status === 'fulfilled') t.strictSame(outcome.value, expected)
})

t.test('who hangs up while photos are decoded together leaves the others theirs', async t => {
  const decoder = newDecoder({ concurrency: 1 })
  const file = await encode(photo(320, 240)).jpeg().toBuffer()
  const contract = contractOf({ width: 32, height: 32 })
  const client = new AbortController()
  const all = Promise.allSettled([0, 1, 2, 3, 4].map(async index => await decoder.decode(file, contract, index === 2 ? { signal: client.signal } : {})))
  client.abort()
  t.strictSame((await all).map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  t.equal(decoder.pending, 0)
})
