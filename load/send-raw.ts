import { connect } from 'node:net'

/**
 * Puts bytes on the wire and reads the first line that comes back.
 *
 * @returns the status
 * @throws Error if none comes within `timeoutMs`
 */
export async function sendRaw (url: string, bytes: string, timeoutMs = 10_000): Promise<number> {
  const { hostname, port } = new URL(url)
  return await new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    const end = (): void => {
      socket.destroy()
      const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(received) ?? []
      if (status === undefined) reject(new Error(`Expected a status line but received ${JSON.stringify(received.slice(0, 100))}`))
      else resolve(Number(status))
    }
    socket.setTimeout(timeoutMs, end)
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      if (received.includes('\r\n')) end()
    })
    socket.once('end', end)
    socket.once('error', error => { if (received === '') reject(error); else end() })
  })
}
