/**
 * What the set-up tells while it works. On a terminal one line that changes; elsewhere (CI, a log file) one line for each phase.
 *
 * @typedef {object} StepProgress
 * @property {(text: string) => void} phase a new part of the step begins, as `downloading 274 MB`
 * @property {(done: number, total: number) => void} amount how far the phase is, in bytes
 * @property {() => void} done
 * @property {() => void} failed
 *
 * @typedef {object} Progress
 * @property {(name: string) => StepProgress} step
 * @property {(text: string) => void} note a line that stays
 */

const ERASE_LINE = '\r\x1b[2K'
const REDRAW_MS = 200

/**
 * @param {{ stream?: NodeJS.WritableStream & { isTTY?: boolean, columns?: number }, now?: () => number }} [options] `now` in milliseconds
 * @returns {Progress}
 */
export function createProgress ({ stream = process.stderr, now = () => performance.now() } = {}) {
  const begin = stream.isTTY === true ? liveStep : quietStep
  return {
    step: name => begin(name, { stream, startedAt: now(), now }),
    note: text => { stream.write(`${text}\n`) }
  }
}

/** @typedef {{ stream: NodeJS.WritableStream & { columns?: number }, startedAt: number, now: () => number }} Line */

/** @param {string} name @param {Line} line @returns {StepProgress} */
function liveStep (name, { stream, startedAt, now }) {
  let phase = ''
  let amount = ''
  const draw = () => {
    const text = [`… ${name}`, phase, amount, seconds(now() - startedAt)].filter(part => part !== '').join('  ')
    stream.write(ERASE_LINE + text.slice(0, (stream.columns ?? 80) - 1))
  }
  const timer = setInterval(draw, REDRAW_MS).unref()
  /** @param {string} mark */
  const end = mark => {
    clearInterval(timer)
    stream.write(`${ERASE_LINE}${mark} ${name}  ${seconds(now() - startedAt)}\n`)
  }
  draw()
  return {
    phase: text => { phase = text; amount = ''; draw() },
    amount: (done, total) => { amount = `${Math.floor(done / total * 100)} %, ${megabytes(done)}` },
    done: () => end('✓'),
    failed: () => end('✗')
  }
}

/** @param {string} name @param {Line} line @returns {StepProgress} */
function quietStep (name, { stream, startedAt, now }) {
  return {
    phase: text => { stream.write(`${name}: ${text}\n`) },
    amount: () => {},
    done: () => { stream.write(`${name}: done in ${seconds(now() - startedAt)}\n`) },
    failed: () => { stream.write(`${name}: failed after ${seconds(now() - startedAt)}\n`) }
  }
}

/** @param {number} bytes */
export function megabytes (bytes) {
  return `${Math.round(bytes / 1e6)} MB`
}

/** @param {number} ms */
function seconds (ms) {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}
