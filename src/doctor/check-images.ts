import { SETUP_REMEDY, messageOf, type Finding } from './finding.ts'

const WANTED = ['JPEG', 'PNG', 'WebP', 'AVIF', 'GIF', 'TIFF']

/** sharp and the formats that this machine's build of it reads. */
export async function checkImages (): Promise<Finding> {
  try {
    const { readableFormats, sharpVersions } = await import('../image/formats.ts')
    const formats: readonly string[] = readableFormats()
    const { sharp, vips } = sharpVersions()
    return judgeFormats(formats, `sharp ${sharp}, libvips ${vips}`)
  } catch (error) {
    return { status: 'failed', subject: 'images', found: messageOf(error), remedy: `remove node_modules and ${SETUP_REMEDY}` }
  }
}

export function judgeFormats (formats: readonly string[], versions: string): Finding {
  const missing = WANTED.filter(format => !formats.includes(format))
  if (missing.length === 0) return { status: 'ok', subject: 'images', found: `${versions}: ${formats.join(', ')}` }
  return { status: 'warning', subject: 'images', found: `${versions} can not read ${missing.join(', ')}`, remedy: `remove node_modules and ${SETUP_REMEDY}: a sharp of this machine's own may be in the way` }
}
