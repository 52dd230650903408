import t from 'tap'
import { crc32c } from '../../src/tensorflow/crc32c.ts'

t.test('gives the checksums that RFC 3720 lists', async t => {
  t.equal(crc32c(new Uint8Array(32)), 0x8A9136AA)
  t.equal(crc32c(new Uint8Array(32).fill(255)), 0x62A8AB43)
  t.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46DD794E)
})
