import type { RateTrace } from '../callbacks/rate-trace.ts'
import type { History } from '../history.ts'
import { lineChart, type Line } from '../plotting/index.ts'

const VALIDATION = 'val_'

/** What figures are called in a picture; others by their own name. */
const TITLES: Readonly<Record<string, string>> = { acc: 'accuracy' }

/** @returns name and SVG file of a picture for each figure, with what was measured on validation rows beside it, and one for the learning rate */
export function curvePictures ({ epoch, history }: History, rates: RateTrace): [string, string][] {
  const figures = Object.keys(history).filter(name => !name.startsWith(VALIDATION))
  const pictures = figures.map((figure): [string, string] => {
    const line = (name: string, values: readonly number[] = []): Line => ({ name, points: values.map((value, index) => [epoch[index]! + 1, value]) })
    const title = TITLES[figure] ?? figure
    const validation = history[`${VALIDATION}${figure}`]
    const lines = [line('learned rows', history[figure]), ...(validation === undefined ? [] : [line('validation rows', validation)])]
    return [fileName(title), lineChart({ title: capital(title), xName: 'epoch', yName: title, lines, isCounted: true })]
  })
  return [...pictures, ['learning-rate', lineChart({ title: 'Learning rate', xName: 'step', yName: 'learning rate', lines: [{ name: 'learning rate', points: rates }], isCounted: true, isFromZero: true })]]
}

function capital (text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** A figure of several outputs is called `<output>_loss`, as the model's author named the output. */
function fileName (title: string): string {
  return title.replace(/[^\w.-]+/g, '-')
}
