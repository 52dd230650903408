import { drawChart, titled } from './chart.ts'

export interface WaterfallStep {
  readonly name: string
  readonly value: number
}

const ROW = 30

/** From one number to another, a bar for each step on the way. @returns an SVG file */
export function waterfallChart (title: string, from: WaterfallStep, steps: readonly WaterfallStep[], to: string): string {
  let at = from.value
  const bars = steps.map(({ name, value }) => {
    const start = at
    at += value
    return { name, value, low: Math.min(start, at), size: Math.abs(value) }
  })
  const names = [from.name, ...bars.map(({ name }) => name), to]
  const ends = { low: 0, colour: '#6b7280' }
  const rows = [
    { ...ends, size: from.value, text: from.value.toFixed(3) },
    ...bars.map(({ low, size, value }) => ({ low, size, colour: value > 0 ? '#d55e00' : '#0072b2', text: `${value > 0 ? '+' : '−'}${Math.abs(value).toFixed(3)}` })),
    { ...ends, size: at, text: at.toFixed(3) }
  ]
  return drawChart({
    ...titled(title),
    grid: { left: 190, right: 90, top: 56, bottom: 40 },
    xAxis: { type: 'value', scale: true },
    yAxis: { type: 'category', data: names, inverse: true, axisLabel: { interval: 0, width: 170, overflow: 'truncate' }, axisTick: { show: false } },
    series: [
      { type: 'bar', stack: 'way', data: rows.map(({ low }) => low), itemStyle: { color: 'transparent' } },
      { type: 'bar', stack: 'way', barWidth: 18, data: rows.map(({ size, colour, text }) => ({ value: size, itemStyle: { color: colour }, label: { show: true, position: 'right', formatter: text } })) }
    ]
  }, { width: 800, height: 110 + ROW * rows.length })
}
