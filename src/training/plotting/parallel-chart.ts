import { drawChart, titled } from './chart.ts'

export interface ParallelAxis {
  readonly name: string
  /** Of an axis that has no numbers. */
  readonly values?: readonly string[]
  readonly isLogarithmic?: boolean
  /** Whether it only has whole numbers. */
  readonly isCounted?: boolean
}

const GAP = 140

/**
 * A vertical axis for each column and a line for each row, coloured by the last column, from which the best rows can be followed back.
 *
 * @param rows as many cells as there are axes; undefined where a row has none
 * @param isLessBetter of the last column
 * @returns an SVG file
 */
export function parallelChart (title: string, axes: readonly ParallelAxis[], rows: readonly (readonly (number | string | undefined)[])[], { isLessBetter = false } = {}): string {
  const last = rows.map(row => row.at(-1)).filter(value => typeof value === 'number')
  const [min, max] = [Math.min(...last), Math.max(...last)]
  const colours = ['#cbd5e1', '#7dd3fc', '#0072b2', '#d55e00']
  return drawChart({
    ...titled(title),
    parallel: { left: 70, right: 90, top: 96, bottom: 40 },
    parallelAxis: axes.map(({ name, values, isLogarithmic = false, isCounted = false }, dim) => ({
      dim,
      name,
      nameTextStyle: { fontSize: 12 },
      ...(values === undefined ? { type: isLogarithmic ? 'log' : 'value', scale: true, ...(isCounted && { minInterval: 1 }), ...(isLogarithmic && { axisLabel: { formatter: (value: number) => value.toExponential(0) } }) } : { type: 'category', data: values })
    })),
    visualMap: { show: false, dimension: axes.length - 1, min, max: max > min ? max : min + 1, inRange: { color: isLessBetter ? colours.toReversed() : colours } },
    series: [{ type: 'parallel', lineStyle: { width: 2, opacity: 0.8 }, data: rows.map(row => row.map(cell => cell ?? '-')) }]
  }, { width: Math.max(700, axes.length * GAP + 60), height: 480 })
}
