import { COLOURS, drawChart, titled } from './chart.ts'
import { seriesOf, type Line } from './line-chart.ts'

export interface LinePanel {
  readonly title: string
  readonly xName: string
  readonly lines: readonly Line[]
}

/** Pixels of a whole picture. */
const WIDTH = 1320
const HEIGHT = 270
const TOP = 56

/** Small charts side by side, each with its own axes, and a legend if it has several lines. @returns an SVG file */
export function lineGrid (title: string, panels: readonly LinePanel[], columns: number): string {
  const width = Math.floor(Math.min(WIDTH / columns, WIDTH * 0.36))
  const head = panels.some(({ lines }) => lines.length > 1) ? 52 : 30
  const places = panels.map((_, index) => ({ left: index % columns * width, top: TOP + Math.floor(index / columns) * HEIGHT }))
  const option = {
    title: [titled(title)['title'], ...panels.map((panel, index) => ({ text: panel.title, left: places[index]!.left + width / 2 + 10, top: places[index]!.top, textAlign: 'center', textStyle: { fontSize: 14 } }))],
    grid: places.map(({ left, top }) => ({ left: left + 48, top: top + head, width: width - 66, height: HEIGHT - head - 56 })),
    legend: panels.map(({ lines }, index) => ({ show: lines.length > 1, data: lines.map(({ name }) => name), left: places[index]!.left + 48, top: places[index]!.top + 24, icon: 'roundRect', itemWidth: 16, itemHeight: 4, itemGap: 30, textStyle: { fontSize: 11 } })),
    xAxis: panels.map(({ xName, lines }, gridIndex) => ({ type: 'value', gridIndex, name: xName, nameLocation: 'middle', nameGap: 24, min: lines[0]!.points[0]![0], max: lines[0]!.points.at(-1)![0], axisLine: { onZero: false } })),
    yAxis: panels.map((_, gridIndex) => ({ type: 'value', gridIndex, splitNumber: 4, axisLabel: { fontSize: 11 } })),
    series: panels.flatMap(({ lines }, index) => lines.map(line => ({ ...seriesOf(line), showSymbol: false, xAxisIndex: index, yAxisIndex: index })))
  }
  return drawChart({ ...option, color: coloursOf(panels) }, { width: columns * width + 20, height: TOP + Math.ceil(panels.length / columns) * HEIGHT })
}

/** Each panel begins with the first colour. */
function coloursOf (panels: readonly LinePanel[]): string[] {
  return panels.flatMap(({ lines }) => lines.map((_, index) => COLOURS[index % COLOURS.length]!))
}
