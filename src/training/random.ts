/** Numbers in 0…1 (1 left out), the same ones for the same seed on every machine: mulberry32. */
export function seededRandom (seed: number): () => number {
  let state = mix(seed)
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let z = Math.imul(state ^ (state >>> 15), 1 | state)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A seed for one of several uses of one seed: an epoch's order, a layer's dropout. A whole number of 31 bits. */
export function derivedSeed (seed: number, use: number): number {
  return mix(mix(seed) ^ Math.imul(use + 1, 0x9E3779B1)) >>> 1
}

/** 0 … count − 1 in an order that the seed decides (Fisher and Yates). */
export function shuffledRows (count: number, seed: number): Int32Array {
  const rows = Int32Array.from({ length: count }, (_, row) => row)
  const random = seededRandom(seed)
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const row = rows[last]!
    rows[last] = rows[other]!
    rows[other] = row
  }
  return rows
}

/**
 * Builds a model so that the seed decides its first weights. `tf.layers`' initializers that were given no seed of their own draw one from
 * `Math.random`, so that is replaced while `build` runs.
 *
 * @param build synchronous
 */
export function withSeed<Result> (seed: number, build: () => Result): Result {
  const { random } = Math
  Math.random = seededRandom(seed)
  try {
    return build()
  } finally {
    Math.random = random
  }
}

/** Spreads a whole number over 32 bits, so that neighbouring seeds have nothing in common: murmur3's finalizer. */
function mix (seed: number): number {
  let z = (seed | 0) ^ Math.trunc(seed / 2 ** 32)
  z = Math.imul(z ^ (z >>> 16), 0x85EBCA6B)
  z = Math.imul(z ^ (z >>> 13), 0xC2B2AE35)
  return z ^ (z >>> 16)
}
