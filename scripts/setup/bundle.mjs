import { createHash } from 'node:crypto'
import { existsSync, fsyncSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './command.mjs'
import { downloadWheel } from './download.mjs'
import { withLock } from './lock.mjs'
import { findPython } from './python-tools.mjs'

/**
 * @typedef {import('./wheels.mjs').Bundle} Bundle
 * @typedef {import('./wheels.mjs').Wheel} Wheel
 * @typedef {import('./download.mjs').Tools} Tools
 *
 * @typedef {object} Complete what `complete.json` says; it is written last
 * @property {{ name: string, version: string, sha256: string }[]} wheels
 * @property {Record<string, number>} files sizes in bytes by path
 */

const UNPACK = fileURLToPath(new URL('unpack-wheel.py', import.meta.url))

/**
 * Whether a bundle's folder is there and whole: made of the pinned wheels, every file with its size.
 *
 * @param {Bundle} bundle
 * @param {string} directory
 */
export function isComplete (bundle, directory) {
  const complete = readJson(join(directory, 'complete.json'))
  return complete !== undefined && hashes(complete.wheels) === hashes(bundle.wheels) && areThere(complete.files, directory)
}

/** @param {Record<string, number>} files sizes in bytes by path @param {string} directory */
function areThere (files, directory) {
  return Object.entries(files).every(([path, bytes]) => statSync(join(directory, path), { throwIfNoEntry: false })?.size === bytes)
}

/**
 * Fetches a bundle's wheels and unpacks what is kept of them. All or nothing: the folder gets its name once it is whole. What a run that was
 * killed had fetched or unpacked of it is used by the next one. Several processes may ask for the same: one works, the others wait.
 *
 * @param {Bundle} bundle
 * @param {string} directory
 * @param {Omit<Tools, 'python'>} tools
 * @throws {import('./setup-error.mjs').SetupError} if a wheel can't be had, is not the pinned one, or the disk is full
 */
export async function installBundle (bundle, directory, tools) {
  await withLock(`${directory}.lock`, async () => {
    if (isComplete(bundle, directory)) return
    const python = await findPython(tools.env)
    rmSync(directory, { recursive: true, force: true })
    const partial = openPartial(bundle, `${directory}.partial`)
    for (const wheel of bundle.wheels) await addWheel(wheel, partial, { ...tools, python })
    finish(bundle, partial, directory)
  }, { onWait: holder => tools.progress.phase(`waiting for process ${holder?.pid ?? ''}, which is at it`) })
}

/** The folder that is being filled. What was left of a bundle with other pins is of no use, nor are files that were being written. @param {Bundle} bundle @param {string} partial */
function openPartial (bundle, partial) {
  const pins = createHash('sha256').update(JSON.stringify(bundle.wheels)).digest('hex')
  const work = join(partial, 'work')
  const pinsPath = join(work, 'pins')
  if (!existsSync(pinsPath) || readFileSync(pinsPath, 'utf8') !== pins) {
    rmSync(partial, { recursive: true, force: true })
    mkdirSync(work, { recursive: true })
    writeFileSync(pinsPath, pins)
  }
  for (const left of readdirSync(work).filter(name => /^(pip|unpack)-/.test(name))) rmSync(join(work, left), { recursive: true })
  return partial
}

/** @param {Wheel} wheel @param {string} partial @param {Tools} tools */
async function addWheel (wheel, partial, tools) {
  const done = join(partial, 'work', `${wheel.sha256}.json`)
  const unpacked = readJson(done)
  if (unpacked !== undefined && areThere(unpacked, partial)) return
  const path = await downloadWheel(wheel, join(partial, 'work'), tools)
  tools.progress.phase(`unpacking ${wheel.name}`)
  const output = await run(tools.python.path, [UNPACK, path, partial, join(partial, 'work'), JSON.stringify(wheel.files)], {
    env: tools.env, onOutput: text => reportUnpacked(text, tools.progress)
  })
  writeFileSync(done, output.trimEnd().split('\n').at(-1) ?? '')
  rmSync(path)
}

/** @param {Bundle} bundle @param {string} partial @param {string} directory */
function finish ({ wheels }, partial, directory) {
  const files = Object.assign({}, ...wheels.map(wheel => readJson(join(partial, 'work', `${wheel.sha256}.json`))))
  const complete = { wheels: wheels.map(({ name, version, sha256 }) => ({ name, version, sha256 })), files }
  writeFileSync(join(partial, 'complete.json'), `${JSON.stringify(complete, null, 2)}\n`, { flush: true })
  renameSync(partial, directory)
  rmSync(join(directory, 'work'), { recursive: true })
  sync(dirname(directory))
}

/** @param {string} text lines `DONE TOTAL` @param {import('./progress.mjs').StepProgress} progress */
function reportUnpacked (text, progress) {
  const [, done, total] = /(\d+) (\d+)\n$/.exec(text) ?? []
  if (done !== undefined) progress.amount(Number(done), Number(total))
}

/** @param {{ sha256: string }[]} wheels */
function hashes (wheels) {
  return wheels.map(({ sha256 }) => sha256).join()
}

/** @param {string} path @returns {any} undefined if it is not there, or only a part of it */
function readJson (path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Makes a rename outlast a power cut. @param {string} folder */
function sync (folder) {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
