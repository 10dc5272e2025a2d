import type { Receipt, ReceiptFile, ReceiptSource } from './receipt.js';

const companies = ['Kedai Kopi Aman', 'Perniagaan Zheng Hui', 'Mr. D.I.Y.', 'Popular Book Co.', 'Restoran Wan Sheng'];
const firstDay = Date.UTC(2017, 0, 1);
const day = 86_400_000;

/** Made-up receipts, the same for the same numbers. Of several files the last is the preview. */
export function syntheticReceipts(records: number, filesEach: number): ReceiptSource {
  return {
    records,
    objects: records * filesEach,
    *receipts() {
      for (let number = 0; number < records; number += 1) yield receipt(number, filesEach);
    },
  };
}

function receipt(number: number, filesEach: number): Receipt {
  const company = companies[number % companies.length];
  const date = new Date(firstDay + (number % 1_000) * day);
  const total = (100 + ((number * 37) % 20_000)) / 100;
  return {
    fields: { company, date, total },
    files: Array.from({ length: filesEach }, (_, index) => file(`receipt ${number}`, index, filesEach)),
  };
}

function file(title: string, index: number, filesEach: number): ReceiptFile {
  const preview = filesEach > 1 && index === filesEach - 1;
  const text = `${title}, ${preview ? 'preview' : `page ${index + 1}`}\n`.repeat(10);
  return {
    name: preview ? 'preview.txt' : `page-${index + 1}.txt`,
    type: 'text/plain',
    role: preview ? 'preview' : 'attachment',
    content: () => Promise.resolve(Buffer.from(text)),
  };
}
