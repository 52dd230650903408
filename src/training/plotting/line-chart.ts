import { drawChart, titled, type ChartSize } from './chart.ts'

export interface Line {
  readonly name: string
  /** [x, y]; a y that is no finite number leaves a gap. */
  readonly points: readonly (readonly [number, number])[]
  /** Whether it is the points alone. */
  readonly isScattered?: boolean
}

export interface LineChartOptions extends ChartSize {
  readonly title: string
  readonly xName: string
  readonly yName: string
  readonly lines: readonly Line[]
  /** Whether each step on the x axis is ten times the one before. Every x is over 0 then. */
  readonly isLogarithmic?: boolean
  /** Whether x only has whole numbers. */
  readonly isCounted?: boolean
  /** Whether the y axis begins at 0. */
  readonly isFromZero?: boolean
  /** A place on the x axis that is to be seen. */
  readonly mark?: { readonly x: number, readonly name: string }
}

/** So many points are each shown with a dot. */
const DOTTED = 60

/** Lines over a common x axis, named in a legend if there are several. @returns an SVG file */
export function lineChart ({ title, xName, yName, lines, isLogarithmic = false, isCounted = false, isFromZero = false, mark, ...size }: LineChartOptions): string {
  const axis = { nameLocation: 'middle', nameTextStyle: { fontSize: 13 } }
  return drawChart({
    ...titled(title),
    grid: { left: 78, right: 34, top: 60, bottom: lines.length > 1 ? 84 : 62 },
    legend: { show: lines.length > 1, bottom: 8, left: 'center', itemGap: 34, icon: 'roundRect', itemHeight: 4 },
    xAxis: {
      ...axis,
      type: isLogarithmic ? 'log' : 'value',
      name: xName,
      nameGap: 28,
      ...(isCounted && { minInterval: 1 }),
      ...(isLogarithmic && { axisLabel: { formatter: (value: number) => value.toExponential(0) } }),
      ...extent(lines)
    },
    yAxis: { ...axis, type: 'value', name: yName, nameGap: 54, scale: !isFromZero },
    series: lines.map((line, index) => ({
      ...seriesOf(line),
      ...(index === 0 && mark !== undefined && {
        markLine: { symbol: 'none', lineStyle: { color: '#6b7280', type: 'dashed' }, label: { formatter: mark.name }, data: [{ xAxis: mark.x }] }
      })
    }))
  }, size)
}

/** A line as ECharts has it. */
export function seriesOf ({ name, points, isScattered = false }: Line): object {
  return {
    type: isScattered ? 'scatter' : 'line',
    name,
    data: points.map(([x, y]) => [x, Number.isFinite(y) ? y : '-']),
    showSymbol: points.length <= DOTTED,
    symbolSize: isScattered ? 8 : 5,
    lineStyle: { width: 2.5 }
  }
}

/** The x axis is as long as the lines, whose ends are not rounded. */
function extent (lines: readonly Line[]): { min: number, max: number } | undefined {
  const xs = lines.flatMap(({ points }) => [points[0]?.[0], points.at(-1)?.[0]]).filter(x => x !== undefined)
  const [min, max] = [Math.min(...xs), Math.max(...xs)]
  return max > min ? { min, max } : undefined
}
