import t from 'tap'
import { isAsciiSpace, isHighSurrogate, slices, type Slicing } from '../../src/text/slices.ts'
import { seededRandom } from '../../src/training/random.ts'

const AT_SPACES: Slicing = { length: 8, canCut: before => isAsciiSpace(before), overlong: 'skip' }
const ANYWHERE: Slicing = { length: 8, canCut: before => !isHighSurrogate(before), overlong: 'cut' }

function randomTexts (alphabet: readonly string[]): string[] {
  const random = seededRandom(1)
  return Array.from({ length: 500 }, () => Array.from({ length: Math.floor(random() * 60) }, () => alphabet[Math.floor(random() * alphabet.length)]).join(''))
}

t.test('loses nothing where a text can be cut often enough, and no slice is too long', async t => {
  for (const text of randomTexts(['a ', 'bc ', 'def\n', '\t', '😀 '])) {
    const parts = [...slices(text, AT_SPACES)]
    t.equal(parts.join(''), text)
    t.ok(parts.every(part => part.length <= AT_SPACES.length))
    t.ok(parts.slice(0, -1).every(part => /\s$/.test(part)))
  }
})

t.test('never cuts a character in two', async t => {
  for (const text of randomTexts(['a', '😀', '👍'])) {
    const parts = [...slices(text, ANYWHERE)]
    t.equal(parts.join(''), text)
    t.ok(parts.every(part => part.isWellFormed() && part.length <= ANYWHERE.length))
  }
})

t.test('skips the rest of a run that can be cut nowhere', async t => {
  t.strictSame([...slices(`one ${'x'.repeat(30)} two`, AT_SPACES)], ['one ', 'xxxxxxxx', 'two'])
})

t.test('cuts such a run all the same where its parts are tokens of their own', async t => {
  t.strictSame([...slices('x'.repeat(20), { ...AT_SPACES, overlong: 'cut' })], ['xxxxxxxx', 'xxxxxxxx', 'xxxx'])
})
