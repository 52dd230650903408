export { readableFormats, sharpVersions } from './formats.ts'
export { createImageDecoder, type ImageDecoder } from './image-decoder.ts'
export { pixelsToPng } from './png.ts'
export { scalePixels } from './scale-pixels.ts'
