import type { Signature } from '../tensorflow/index.ts'
import type { Manifest } from './manifest.ts'
import { PIXELS_SIGNATURE } from './pixel-input.ts'
import type { Signatures } from './serving-signatures.ts'

/** The signature that most requests are for: the manifest's, with pixels where there is such a one; else the first. */
export function mainSignature (signatures: Signatures, manifest: Manifest): Signature | undefined {
  return signatures[PIXELS_SIGNATURE] ?? signatures[manifest.signature ?? 'serving_default'] ?? Object.values(signatures)[0]
}
