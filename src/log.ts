import { pino, type Logger, type LoggerOptions } from 'pino'

/** More than this is written at once. Below the 16 KiB that the stream writes in one go, so that a flush leaves nothing behind. */
const FLUSH_BYTES = 8192

/** The server's log on stdout. Lines that are written in one turn of the event loop go out together: under load, a call into the kernel for each costs more than the line. */
export function createLog (options: LoggerOptions): Logger {
  const destination = pino.destination({ minLength: FLUSH_BYTES, sync: true })
  let isDue = false
  const flush = (): void => {
    isDue = false
    destination.flush()
  }
  process.once('exit', flush)
  return pino(options, {
    write (line) {
      destination.write(line)
      if (isDue) return
      isDue = true
      setImmediate(flush)
    }
  })
}
