/** JSON as it is sent: its text in order, and how many bytes it is as UTF-8. */
export interface JsonText {
  readonly pieces: readonly string[]
  readonly sizeBytes: number
}

/** UTF-16 units of a piece, give or take what is added at once. */
const PIECE_UNITS = 65_536

/** Collects text that is written bit by bit into pieces of some 64 KiB. */
export class JsonPieces {
  readonly #pieces: string[] = []
  #sizeBytes = 0
  #open = ''

  /** @returns whether a piece is full: a place to let others go on */
  add (text: string): boolean {
    this.#open += text
    if (this.#open.length < PIECE_UNITS) return false
    this.#close()
    return true
  }

  finish (): JsonText {
    this.#close()
    return { pieces: this.#pieces, sizeBytes: this.#sizeBytes }
  }

  #close (): void {
    this.#pieces.push(this.#open)
    this.#sizeBytes += Buffer.byteLength(this.#open)
    this.#open = ''
  }
}
