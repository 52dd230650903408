import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle, Wheel } from '../../scripts/setup/wheels.mjs'

const MAKE = `
import json, sys, zipfile
path, files = sys.argv[1], json.loads(sys.argv[2])
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
    for name, size in files.items():
        wheel.writestr(name, bytes(i % 251 for i in range(1000)) * (size // 1000))
    wheel.writestr("fake-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: fake\\nVersion: 1.0\\n")
    wheel.writestr("fake-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr("fake-1.0.dist-info/RECORD", "")
`

/** Makes a wheel `fake 1.0` that pip accepts, in `directory`, of files by name and size (thousands of bytes). */
export function makeFakeWheel (directory: string, files: Record<string, number>): Wheel {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'fake-1.0-py3-none-any.whl')
  execFileSync('python3', ['-c', MAKE, path, JSON.stringify(files)])
  const bytes = readFileSync(path)
  return {
    name: 'fake',
    version: '1.0',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    python: '3.11',
    platforms: ['any'],
    files: [['fake/lib/*', 'fake/', ''], ['fake/include/*.h', 'fake/include/', 'headers/']]
  }
}

export function bundleOf (wheel: Wheel): Bundle {
  return { name: 'fake-bundle', wheels: [wheel] }
}

/** Makes pip look into `directory` and nowhere else. */
export function pipFrom (directory: string): Record<string, string | undefined> {
  return { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: directory }
}
