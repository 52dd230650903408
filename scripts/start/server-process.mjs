import { spawn } from 'node:child_process'
import { availableParallelism, constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { SIGNALS } from '../setup/command.mjs'

/** @typedef {Record<string, string | undefined>} Environment */

const FOLLOW_PARENT = new URL('follow-parent.mjs', import.meta.url)
/** Ctrl-C in `npm start` comes twice, from the terminal and from npm: only a later one is a person's second. */
const SAME_SIGNAL_MS = 500

/**
 * What has to be set before the process starts: libuv and TensorFlow read these once. What is set already stays.
 *
 * @param {Environment} env
 * @param {number} [cores]
 * @returns {Environment}
 */
export function serverEnvironment (env, cores = availableParallelism()) {
  return { UV_THREADPOOL_SIZE: String(threadPoolSize(env, cores)), TF_CPP_MIN_LOG_LEVEL: '2', TF_FORCE_GPU_ALLOW_GROWTH: 'true', ...env }
}

/** Threads for a process's runs and decodes in flight, and a few more for files and the next version's load. @param {Environment} env @param {number} cores */
function threadPoolSize ({ RUN_CONCURRENCY: runs = '', DECODE_CONCURRENCY: decodes = '', WORKERS: workers = '' }, cores) {
  const share = Math.ceil(cores / Math.max(1, Number(workers) || 1))
  const asked = (Number(runs) || share + 1) + (Number(decodes) || share + 1) + 6
  return Math.min(Math.max(8, asked), 1024)
}

/**
 * Starts a program of ours, hands signals on and ends as it ends. It is a process group of its own, so that a signal reaches it once,
 * and it ends when this process does, however that ends.
 *
 * @param {string} path
 * @param {readonly string[]} args
 * @param {Environment} env
 * @returns {Promise<number>} its exit code; 128 + the signal's number if it was killed
 */
export async function runProgram (path, args, env) {
  const child = spawn(process.execPath, ['--import', FOLLOW_PARENT.href, path, ...args], { env, detached: true, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  /** @type {Map<string, number>} */
  const sentAt = new Map()
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = performance.now()
      if (now - (sentAt.get(signal) ?? -Infinity) > SAME_SIGNAL_MS) child.kill(signal)
      sentAt.set(signal, now)
    })
  }
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)]))
  })
}

/** @param {string} name of a compiled file, as `main.js` */
export function distPath (name) {
  return fileURLToPath(new URL(`../../dist/${name}`, import.meta.url))
}
