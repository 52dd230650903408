import type { LoadRequest } from './closed-loop.ts'

const BOUNDARY = 'tensorport-load-7d0f1a'

/** A form with one file, as `curl -F file=@photo.jpg` sends it. */
export function fileForm (path: string, file: Uint8Array, name = 'photo.jpg'): LoadRequest & { body: Uint8Array } {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: image/jpeg\r\n\r\n`
  return {
    path,
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
  }
}

export function jsonRequest (path: string, value: unknown): LoadRequest & { body: string } {
  return { path, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}
