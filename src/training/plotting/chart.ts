import { BarChart, HeatmapChart, LineChart, ParallelChart, ScatterChart } from 'echarts/charts'
import { AxisPointerComponent, GridComponent, LegendComponent, MarkLineComponent, ParallelComponent, TitleComponent, VisualMapComponent } from 'echarts/components'
import { init, use, type EChartsCoreOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([
  AxisPointerComponent, BarChart, GridComponent, HeatmapChart, LegendComponent, LineChart, MarkLineComponent, ParallelChart, ParallelComponent, ScatterChart,
  SVGRenderer, TitleComponent, VisualMapComponent
])

/** Of the drawn text, in a picture as in one that a browser shows. */
export const FONT = 'DejaVu Sans, Verdana, sans-serif'

/** Told apart by most people who see colours otherwise, too. */
export const COLOURS: readonly string[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#6b7280', '#111827']

/** What only a mouse shows. It is numbered through all charts of a process, as are clip paths: without that the same chart is the same file. */
const HOVER = / class="zr[^"]*"| pointer-events="visible"|<style *>[^]*?<\/style>\n?/g
const CHART_NUMBER = /\bzr\d+-/g

export interface ChartSize {
  /** Pixels. */
  readonly width?: number
  readonly height?: number
}

/** @param option as ECharts has it; colours, font and background are set here @returns an SVG file */
export function drawChart (option: EChartsCoreOption, { width = 800, height = 480 }: ChartSize = {}): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    chart.setOption({ animation: false, backgroundColor: '#ffffff', color: [...COLOURS], textStyle: { fontFamily: FONT }, ...option })
    return chart.renderToSVGString().replaceAll(HOVER, '').replaceAll(CHART_NUMBER, 'zr-')
  } finally {
    chart.dispose()
  }
}

/** A title over the middle, and room for it. */
export function titled (text: string): EChartsCoreOption {
  return { title: { text, left: 'center', top: 14, textStyle: { fontSize: 17, fontWeight: 'bold' } } }
}
