import { Readable } from 'node:stream'
import t from 'tap'
import multipart from '@fastify/multipart'
import Fastify from 'fastify'
import { ByteMemory } from '../../src/prediction/byte-memory.ts'
import { filesOfForm } from '../../src/http/form.ts'
import { readImages } from '../../src/http/image-body.ts'
import { seededRandom } from '../../src/training/random.ts'

const TYPE = 'multipart/form-data; boundary=b'

const text = (files: readonly Uint8Array[]): string[] => files.map(file => Buffer.from(file).toString('latin1'))
const read = (form: string, { type = TYPE, maxFiles = 5 } = {}): string[] => text(filesOfForm(Uint8Array.from(Buffer.from(form, 'latin1')), type, maxFiles))
const file = (content: string, headers = 'Content-Disposition: form-data; name="a"; filename="a"'): string => `\r\n--b\r\n${headers}\r\n\r\n${content}`
const END = '\r\n--b--\r\n'

t.test('the files of a form are found in their order, other fields are not', async t => {
  const field = file('no', 'content-disposition: form-data; name="filename"')
  t.strictSame(read(file('one') + field + file('two') + END), ['one', 'two'])
  t.strictSame(read(END), [])
  t.strictSame(read(field + END), [])
  t.strictSame(read(file('') + END), [''], 'an empty one')
})

t.test('what is a file is said by a file name or by its type', async t => {
  const cases: [headers: string, isFile: boolean][] = [
    ['content-disposition: form-data; name="a"; filename=""', true],
    ['CONTENT-DISPOSITION:form-data;NAME=a;FILENAME=a', true],
    ['Content-Type: image/png\r\nContent-Disposition: form-data; name="a"; filename*=UTF-8\'\'a%20b', true],
    ['content-disposition: form-data; name="a;\\" filename=x"; filename="b"', true],
    ['content-disposition: form-data; name="a"\r\ncontent-type: Application/Octet-Stream; charset=x', true],
    ['content-disposition: form-data; name="a"\r\ncontent-type: application/octet-streams', false],
    ['content-disposition: form-data; name="; filename=b"', false],
    ['content-disposition: form-data; name="a\\"; filename=b"', false],
    ['content-disposition: form-data; name="a; filename=b', false],
    ['content-disposition: form-data', false],
    ['content-disposition: form-database; filename=a', false],
    ['content-disposition: attachment; filename=a', false],
    ['content-type: application/octet-stream', false],
    ['filename: a', false],
    ['rubbish', false]
  ]
  for (const [headers, isFile] of cases) t.strictSame(read(file('x', headers) + END), isFile ? ['x'] : [], headers)
})

t.test('what stands before, behind and beside the parts does not count', async t => {
  t.strictSame(read(`a preamble --b${file('x')}${END}an epilogue${file('y')}`), ['x'])
  t.strictSame(read(`--b  \r\n${file('x').slice(7)}\r\n--b--`), ['x'], 'spaces behind the boundary, no line end behind the last one')
  t.strictSame(read(`\r\n--b\r\nno headers at all\r\n--b\r\n\r\n\r\nempty ones${file('x')}${END}`), ['x'])
})

t.test('a content may hold all that is not the boundary on a line of its own', async t => {
  for (const content of ['\r\n', '\r\n\r\n', 'x--b', '\n--b', '\r\n-b', '\r\n--', '\r\n--c', '\r\n\r\n--', '\0\xff']) t.strictSame(read(file(content) + END), [content], JSON.stringify(content))
})

t.test('the boundary is read as the Content-Type gives it', async t => {
  for (const type of ['multipart/form-data; boundary="b"', 'Multipart/Form-Data;charset=utf-8;BOUNDARY=b', 'multipart/form-data; boundary=b; x=y']) t.strictSame(read(file('x') + END, { type }), ['x'], type)
  for (const type of ['multipart/form-data', 'multipart/form-data; boundary=', 'rubbish']) t.throws(() => read(file('x') + END, { type }), { code: 'SERVE_BAD_REQUEST', message: /names no boundary/ }, type)
})

t.test('a form that does not start or end as one is refused, and so is one of too many or too large parts', async t => {
  for (const form of ['', 'rubbish', '--c--', file('x'), file('x') + '\r\n--b', file('x') + '\r\n--b-']) t.throws(() => read(form), { code: 'SERVE_BAD_REQUEST', message: /boundary or its end/ }, form)
  t.throws(() => read(file('x').repeat(6) + END), { code: 'SERVE_TOO_MANY_FILES' })
  const field = file('', 'content-disposition: form-data; name="a"')
  t.strictSame(read(field.repeat(1000) + END), [])
  t.throws(() => read(field.repeat(1001) + END), { code: 'SERVE_BAD_REQUEST', message: /more than 1000 parts/ })
  t.throws(() => read(file('x', 'x: '.padEnd(8193, 'x')) + END), { code: 'SERVE_BAD_REQUEST', message: /longer than 8192 bytes/ })
})

t.test('headers made to be slow to read are not', async t => {
  const worst = file('x', 'content-disposition: form-data'.padEnd(8000, ';a="')).repeat(999) + END
  const startedAt = process.cpuUsage()
  t.strictSame(read(worst), [])
  const { user } = process.cpuUsage(startedAt)
  t.ok(user < 2_000_000, `${user} µs`)
})

t.test('a form is read alike whether or not its length is known', async t => {
  const app = Fastify()
  const options = { memory: new ByteMemory(), bodyLimitBytes: 1_000_000, maxFiles: 5 }
  await app.register(multipart)
  app.post('/', async request => {
    const { images, isList, giveBack } = await readImages(request, options)
    const found = { images: text(images), isList }
    giveBack()
    return found
  })
  const random = seededRandom(7)
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
  const pieces = ['\r\n', '\r\n--', '--', 'b', '-', '\r', '\n', 'x', '\xff', '\0', 'a'.repeat(50)]
  const content = (): string => Array.from({ length: Math.floor(random() * 12) }, () => pick(pieces)).join('').replaceAll('\r\n--b', '')
  const headers = ['content-disposition: form-data; name="a"; filename="a"', 'Content-Disposition: form-data; name=a', 'Content-Type: application/octet-stream\r\nContent-Disposition: form-data; name="a;b"',
    'content-disposition: form-data; filename="a\\"b"; name="c"\r\ncontent-type: image/png']
  const refused = { form: 0, file: 0 }
  for (let round = 0; round < 500; round++) {
    const parts = Array.from({ length: Math.floor(random() * 9) }, () => file(content(), pick(headers)))
    const form = (pick(['', 'preamble']) + parts.join('') + pick([END, END, END, END + 'epilogue', '\r\n--b--', '', '\r\n--'])).replace(/^\r\n/, pick(['', '\r\n']))
    const payload = Buffer.from(form, 'latin1')
    const [known, unknown] = await Promise.all([payload, Readable.from(chunksOf(payload, random))].map(async body => await app.inject({ method: 'POST', url: '/', payload: body, headers: { 'content-type': TYPE } })))
    const found = [known!, unknown!].map(reply => reply.statusCode === 200 ? reply.json<object>() : 'refused') // which of two faults is named depends on the way
    t.strictSame(found[0], found[1], `round ${round}`)
    if (known!.statusCode !== 200) refused[known!.json<{ code: string }>().code === 'SERVE_TOO_MANY_FILES' ? 'file' : 'form']++
  }
  t.ok(refused.form > 10 && refused.form < 300 && refused.file > 5, JSON.stringify(refused))
  await app.close()
})

function chunksOf (bytes: Buffer, random: () => number): Buffer[] {
  const cut = Math.floor(random() * bytes.length)
  return [bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0)
}
