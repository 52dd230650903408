import t from 'tap'
import sharp from 'sharp'
import { isSrgbProfile } from '../../src/image/icc-profile.ts'
import { ADOBE_RGB_COLORANTS, DISPLAY_P3_COLORANTS, iccProfile, SRGB_COLORANTS, SRGB_FUNCTION, srgbTable, type ProfileParts } from '../support/icc-profiles.ts'
import { encode, noSharedImages, plain, sharedImage } from '../support/images.ts'

const srgb: ProfileParts = { space: 'RGB ', curve: SRGB_FUNCTION, colorants: SRGB_COLORANTS }

const same: Record<string, ProfileParts> = {
  'a function for a curve': srgb,
  'a table of 1024 for a curve, as the profile of 1998': { ...srgb, curve: srgbTable(1024) },
  'a table of 64, as the smallest profiles': { ...srgb, curve: srgbTable(64) },
  'the function that has offsets': { ...srgb, curve: { kind: 4, numbers: [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0] } },
  'colorants rounded to three digits': { ...srgb, colorants: [[0.436, 0.222, 0.014], [0.385, 0.717, 0.097], [0.143, 0.061, 0.714]] },
  'grey with sRGB\'s curve': { space: 'GRAY', curve: SRGB_FUNCTION }
}

const other: Record<string, ProfileParts> = {
  'gamma 2.2 instead of sRGB\'s curve': { ...srgb, curve: { gamma: 2.2 } },
  'gamma 2.2 as a function': { ...srgb, curve: { kind: 0, numbers: [2.2] } },
  'linear light': { ...srgb, curve: { table: [] } },
  'gamma 2.2 as a function with a start': { ...srgb, curve: { kind: 1, numbers: [2.2, 1, 0] } },
  'sRGB\'s curve lifted': { ...srgb, curve: { kind: 2, numbers: [2.4, 1 / 1.055, 0.055 / 1.055, 0.1] } },
  'a function of a kind that does not exist': { ...srgb, curve: { kind: 9, numbers: [1] } },
  'Display P3, whose curve is sRGB\'s': { ...srgb, colorants: DISPLAY_P3_COLORANTS },
  'Adobe RGB': { space: 'RGB ', curve: { gamma: 2.19921875 }, colorants: ADOBE_RGB_COLORANTS },
  'a lookup table beside sRGB\'s numbers': { ...srgb, extra: { A2B0: Buffer.from('mft2') } },
  'no colorants': { space: 'RGB ', curve: SRGB_FUNCTION },
  CMYK: { ...srgb, space: 'CMYK' },
  'grey with gamma 2.2': { space: 'GRAY', curve: { gamma: 2.2 } }
}

for (const [what, parts] of Object.entries(same)) {
  t.test(`${what}: is sRGB`, async t => {
    t.equal(isSrgbProfile(iccProfile(parts)), true)
  })
}

for (const [what, parts] of Object.entries(other)) {
  t.test(`${what}: is not sRGB`, async t => {
    t.equal(isSrgbProfile(iccProfile(parts)), false)
  })
}

t.test('libvips\' own profiles are told apart', async t => {
  const embedded = async (name: string): Promise<Buffer> => {
    const file = await encode(plain(2, 2, 9, 9, 9)).withIccProfile(name).png().toBuffer()
    return (await sharp(file).metadata()).icc!
  }
  t.equal(isSrgbProfile(await embedded('srgb')), true)
  t.equal(isSrgbProfile(await embedded('p3')), false)
})

t.test('a camera\'s Generic RGB profile is not sRGB', { skip: noSharedImages }, async t => {
  const { icc } = await sharp(sharedImage('exif/Landscape_2.jpg')).metadata()
  t.equal(isSrgbProfile(icc!), false)
})

t.test('a profile cut off anywhere is not sRGB, and not an accident', async t => {
  const whole = iccProfile(srgb)
  const isSrgb = Array.from({ length: whole.length - 1 }, (_, length) => isSrgbProfile(whole.subarray(0, length)))
  t.notOk(isSrgb.slice(0, 132).includes(true))
  t.notOk(isSrgb.slice(0, -32).includes(true), 'all but the last bytes of the last curve, which all three share in length')
})

t.test('a profile that claims thousands of tags is not sRGB', async t => {
  const whole = iccProfile(srgb)
  whole.writeUInt32BE(0xffffffff, 128)
  t.equal(isSrgbProfile(whole), false)
})

t.test('a profile that lies in the middle of a larger buffer is read by its own start', async t => {
  const around = Buffer.concat([Buffer.alloc(3), iccProfile(srgb), Buffer.alloc(5)])
  t.equal(isSrgbProfile(around.subarray(3, -5)), true)
})
