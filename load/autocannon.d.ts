/** What load/ uses of autocannon 8, which brings no types of its own. @see node_modules/autocannon/README.md */
declare module 'autocannon' {
  export interface Options {
    url: string
    method: 'GET' | 'POST'
    headers: Record<string, string>
    body?: string | Buffer
    connections: number
    /** Seconds; ends at the first sample after them. */
    duration: number
    /** Milliseconds between two samples. */
    sampleInt: number
    /** Seconds. */
    timeout: number
    /** Called with every reply's body; not true: a mismatch. */
    verifyBody?: (body: string) => boolean
  }

  export interface Result {
    /** Seconds. */
    duration: number
    /** Timeouts counted among them. */
    errors: number
    mismatches: number
    non2xx: number
    statusCodeStats: Record<string, { count: number }>
    requests: { total: number, sent: number }
  }

  export interface Run extends PromiseLike<Result> {
    on (event: 'response', listener: (client: unknown, statusCode: number, bytes: number, milliseconds: number) => void): this
    on (event: 'reqError', listener: (error: Error) => void): this
    /** Ends at the next sample. */
    stop (): void
  }

  export default function autocannon (options: Options): Run
}
