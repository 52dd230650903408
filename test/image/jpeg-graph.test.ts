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
