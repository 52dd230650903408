import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.mjs'

/** @typedef {import('./set-up.mjs').Step} Step */

const CONFIGURATION = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json']
const STAMP = join('dist', '.built-from')

/** dist/: src/ compiled, and what of src/ is no TypeScript copied. @type {Step} */
export const dist = {
  name: 'build',
  isDone: ({ root }) => existsSync(join(root, STAMP)) && readFileSync(join(root, STAMP), 'utf8') === fingerprint(root),
  run: async ({ root, env }, progress) => {
    const from = fingerprint(root)
    progress.phase('compiling src to dist')
    rmSync(join(root, STAMP), { force: true })
    await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.build.json')], { cwd: root, env })
    copyOthers(root)
    removeLeftovers(root)
    writeFileSync(join(root, STAMP), from)
  }
}

/** Of names, sizes and times: reading the files themselves would take longer than all other checks. @param {string} root */
function fingerprint (root) {
  const hash = createHash('sha256')
  for (const path of [...CONFIGURATION, ...filesUnder(join(root, 'src')).map(name => join('src', name))]) {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

/** @param {string} root */
function copyOthers (root) {
  for (const name of filesUnder(join(root, 'src')).filter(name => !isCompiled(name))) cpSync(join(root, 'src', name), join(root, 'dist', name), { preserveTimestamps: true })
}

/** What was compiled from files that are gone. @param {string} root */
function removeLeftovers (root) {
  const wanted = new Set(filesUnder(join(root, 'src')).flatMap(name => isCompiled(name) ? [name.replace(/ts$/, 'js'), name.replace(/ts$/, 'js.map')] : [name]))
  for (const name of filesUnder(join(root, 'dist')).filter(name => !name.startsWith('.') && !wanted.has(name))) rmSync(join(root, 'dist', name))
}

/** @param {string} name */
function isCompiled (name) {
  return /\.m?ts$/.test(name) && !name.endsWith('.d.ts')
}

/** @param {string} folder @returns {string[]} sorted paths relative to it */
function filesUnder (folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort()
}
