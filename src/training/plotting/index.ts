export { confusionChart } from './confusion-chart.ts'
export { contactSheet, textSheet } from './contact-sheet.ts'
export { lineChart, type Line } from './line-chart.ts'
export { savePicture, svgToPng } from './picture.ts'
