/** What makes more of the pictures there are. Your own is a function too: see `Augmentation`. */
export type { Augmentation } from './augmentation/augmentation.ts'
export { brightness, contrast, cutout } from './augmentation/colours.ts'
export { mixup } from './augmentation/mixup.ts'
export { flipLeftRight, flipUpDown, rotate, shift, zoom } from './augmentation/movements.ts'
