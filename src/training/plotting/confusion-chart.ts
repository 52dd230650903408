import { drawChart, titled } from './chart.ts'

/** Cells of more classes could not be read. */
const SHOWN = 30
/** Pixels of a label beside an axis; what is longer is cut. */
const LONGEST_LABEL = 150
const LETTER_WIDTH = 7.5

/**
 * How many rows of each class were taken for which: a row is a class's share of 1, so that rare classes are seen as well as frequent ones. Of many
 * classes only those with the most mistakes are drawn.
 *
 * @param counts [actual][predicted]
 * @returns an SVG file
 */
export function confusionChart (counts: readonly (readonly number[])[], labels: readonly string[]): string {
  const shown = mostConfused(counts, SHOWN)
  const names = shown.map(index => labels[index]!)
  const cells = shown.flatMap((actual, y) => shown.map((predicted, x) => cell(counts[actual]!, predicted, x, y)))
  const side = Math.max(340, shown.length * 34)
  const labelWidth = Math.min(LONGEST_LABEL, Math.ceil(Math.max(...names.map(({ length }) => length)) * LETTER_WIDTH))
  const left = labelWidth + 54
  const below = Math.ceil(labelWidth * 0.7) + 20 // labels at an angle of 45°
  const axis = { type: 'category', data: names, splitArea: { show: false }, axisTick: { show: false }, nameLocation: 'middle', nameTextStyle: { fontSize: 13 } }
  const text = { interval: 0, width: labelWidth, overflow: 'truncate' }
  return drawChart({
    ...titled(shown.length === labels.length ? 'Confusion matrix' : `Confusion matrix: the ${SHOWN} of ${labels.length} classes with the most mistakes`),
    grid: { left, top: 60, width: side, height: side },
    xAxis: { ...axis, name: 'taken for', nameGap: below, axisLabel: { ...text, rotate: 45 } },
    yAxis: { ...axis, name: 'is', nameGap: labelWidth + 20, inverse: true, axisLabel: text },
    visualMap: { show: false, min: 0, max: 1, dimension: 2, inRange: { color: ['#f7fafc', '#9ecae1', '#0072b2', '#08306b'] } },
    series: [{ type: 'heatmap', data: cells, label: { show: true, fontSize: 11 }, itemStyle: { borderColor: '#ffffff', borderWidth: 1 } }]
  }, { width: left + side + 40, height: 60 + side + below + 30 })
}

function cell (row: readonly number[], predicted: number, x: number, y: number): object {
  const count = row[predicted]!
  const share = count / Math.max(1, row.reduce((sum, rows) => sum + rows, 0))
  return { value: [x, y, share], label: { formatter: count === 0 ? '' : String(count), color: share > 0.4 ? '#ffffff' : '#1f2937' } }
}

/** Class numbers in their order. Pure. */
function mostConfused (counts: readonly (readonly number[])[], most: number): number[] {
  const classes = counts.map((_, index) => index)
  if (classes.length <= most) return classes
  const mistakes = classes.map(index => counts.reduce((sum, row, actual) => sum + (actual === index ? row.reduce((all, rows) => all + rows, 0) - 2 * row[index]! : 0) + row[index]!, 0))
  return classes.sort((a, b) => mistakes[b]! - mistakes[a]!).slice(0, most).sort((a, b) => a - b)
}
