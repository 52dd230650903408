import sharp from 'sharp'
import { createImageDecoder } from '../../src/image/index.ts'
import type { ImageContract } from '../../src/registry/manifest.ts'
import { formatNumber, formatSpread } from '../format.ts'
import { makePhoto } from '../photo.ts'
import type { LoadContext, Scenario } from '../scenario.ts'
import { spreadOf, type Spread } from '../statistics.ts'

const SIDES = [32, 224]
/** Images one after the other in each turn. */
const TURN = 10

/** One way to decode the photo; its CPU time is what a server's throughput depends on. */
interface Way { name: string, decode: () => Promise<Uint8Array> }

/** Milliseconds an image. */
interface Cost { wallMs: Spread, cpuMs: Spread }

/** What the colour profile costs where it says nothing, and what the way around it does. */
export const decode: Scenario = {
  name: 'decode',
  summary: 'A JPEG of 640×427 with an sRGB profile to the model\'s pixels, one at a time: sharp as it comes beside tensorport\'s own way, which leaves out a conversion from sRGB to sRGB and, to 32×32, lets TensorFlow decode.',
  async run (context) {
    const photo = await makePhoto()
    const rows: string[][] = []
    const ratios: number[] = []
    for (const side of SIDES) {
      const ways = waysTo(side, photo)
      context.log(`to ${side}×${side}`)
      const costs = await measureInTurns(ways, context)
      const [asItComes, own] = costs as [Cost, Cost]
      ways.forEach(({ name }, index) => {
        const { wallMs, cpuMs } = costs[index]!
        rows.push([`${name}, to ${side}×${side}`, formatSpread(wallMs), formatSpread(cpuMs), formatNumber(asItComes.cpuMs.median / cpuMs.median)])
      })
      ratios.push(asItComes.cpuMs.median / own.cpuMs.median)
    }
    return {
      tables: [{ columns: ['way', 'ms an image', 'CPU ms an image', 'times as fast as sharp (CPU)'], rows }],
      checks: [{ claim: 'leaving out the profile pays: at least 1.2 × as fast as sharp', found: ratios.map(ratio => `${formatNumber(ratio)} ×`).join(', '), isMet: Math.min(...ratios) >= 1.2 }],
      notes: ['The ways take turns of ten images, so that a busy machine slows all of them alike. All run with one thread an image and without libvips\' cache.']
    }
  }
}

function waysTo (side: number, photo: Buffer): Way[] {
  const contract: ImageContract = { width: side, height: side, channels: 3, fit: 'fill', kernel: 'linear', scaling: { where: 'graph' } }
  const decoder = createImageDecoder({ concurrency: 1, maxPixels: 50_000_000, timeoutMs: 10_000 })
  const into = new Uint8Array(side * side * 3)
  const bySharp = async (ignoreIcc: boolean): Promise<Uint8Array> =>
    await sharp(photo, { ignoreIcc, autoOrient: true }).resize(side, side, { fit: 'fill', kernel: 'linear' }).raw().toBuffer()
  return [
    { name: 'sharp as it comes', decode: async () => await bySharp(false) },
    { name: 'tensorport', decode: async () => await decoder.decode(photo, contract, { into }) },
    { name: 'sharp told to ignore profiles', decode: async () => await bySharp(true) }
  ]
}

/** @returns one cost for each way, in their order */
async function measureInTurns (ways: readonly Way[], { repeats, durationMs }: LoadContext): Promise<Cost[]> {
  const wall: number[][] = ways.map(() => [])
  const cpu: number[][] = ways.map(() => [])
  for (const { decode } of ways) await takeTurn(decode)
  const endsAt = performance.now() + repeats * durationMs / SIDES.length
  while (performance.now() < endsAt) {
    for (const [index, { decode }] of ways.entries()) {
      const { wallMs, cpuMs } = await takeTurn(decode)
      wall[index]!.push(wallMs)
      cpu[index]!.push(cpuMs)
    }
  }
  return ways.map((_, index) => ({ wallMs: spreadOf(wall[index]!), cpuMs: spreadOf(cpu[index]!) }))
}

async function takeTurn (decode: () => Promise<unknown>): Promise<{ wallMs: number, cpuMs: number }> {
  const startedAt = performance.now()
  const usage = process.cpuUsage()
  for (let image = 0; image < TURN; image++) await decode()
  const { user, system } = process.cpuUsage(usage)
  return { wallMs: (performance.now() - startedAt) / TURN, cpuMs: (user + system) / 1000 / TURN }
}
