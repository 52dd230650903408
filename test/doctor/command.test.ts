import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { diagnose } from '../../src/doctor/command.ts'
import { writeHalfPlusTwo } from '../support/saved-models.ts'

/** With what reads TypeScript here. */
const PROGRAM = [...process.execArgv, fileURLToPath(new URL('../../src/doctor/command.ts', import.meta.url))]

function record () {
  let text = ''
  return { text: () => text, write: (part: string) => { text += part; return true } }
}

t.test('says that serving works where it does', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  const out = record()
  t.equal(await diagnose({ ...process.env, MODELS_DIR: directory }, out, PROGRAM), 0, out.text())
  t.match(out.text(), /✓ Node.*\n(.*\n)*✓ libtensorflow +2\.21\.0.*\n(.*\n)*✓ model +half\/1: tensor.*\n\nServing works\.\n$/)
})

t.test('says that serving would fail, and why', async t => {
  const out = record()
  t.equal(await diagnose({ ...process.env, LIBTENSORFLOW: '/not/there.so', MODELS_DIR: t.testdir() }, out, PROGRAM), 1)
  t.match(out.text(), /✗ libtensorflow +libtensorflow was not found[^]*\/not\/there\.so[^]*→ correct LIBTENSORFLOW[^]*\nServing would fail: see ✗ above\.\n$/)
})

t.test('survives a library that ends the process', async t => {
  const directory = t.testdir({ 'crash.mjs': "process.send({ status: 'ok', subject: 'Node', found: '20' }); setTimeout(() => process.kill(process.pid, 'SIGILL'), 100)" })
  const out = record()
  t.equal(await diagnose(process.env, out, [join(directory, 'crash.mjs')]), 1)
  t.match(out.text(), /✓ Node +20\n✗ doctor +the check after the last line above ended its process with SIGILL\n +→ .*AVX/)
})
