import type { Table } from './scenario.ts'
import type { Spread } from './statistics.ts'

const MIB = 1024 * 1024

/** As `123 (120–131)`. */
export function formatSpread ({ median, min, max }: Spread): string {
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`
}

/** Three digits that count, more only before the point. */
export function formatNumber (value: number): string {
  if (!Number.isFinite(value)) return '–'
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toFixed(decimals)
}

export function formatMib (bytes: number): string {
  return Number.isFinite(bytes) ? `${Math.round(bytes / MIB)}` : '–'
}

/** Lines of a Markdown table, its columns aligned so that it reads well in a terminal too. The first column is text, the others are figures. */
export function formatTable ({ columns, rows }: Table): string {
  const widths = columns.map((column, index) => Math.max(3, ...[column, ...rows.map(row => row[index] ?? '')].map(cell => cell.length)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, index) => index === 0 ? (cells[index] ?? '').padEnd(width) : (cells[index] ?? '').padStart(width)).join(' | ')} |`
  const rule = `|${widths.map((width, index) => index === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`
  return [line(columns), rule, ...rows.map(line)].join('\n')
}
