/** A receipt before it belongs to anybody: the fields of its record and the files it owns. */
export interface Receipt {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly files: readonly ReceiptFile[];
}

export interface ReceiptFile {
  readonly name: string;
  readonly type: string;
  /** The preview is referred to by `previewKey`, everything else by `attachments[].key`. */
  readonly role: 'attachment' | 'preview';
  content(): Promise<Uint8Array>;
}

/** Where receipts come from; read one at a time, so that 100,000 of them take no memory. */
export interface ReceiptSource {
  readonly records: number;
  readonly objects: number;
  receipts(): Iterable<Receipt>;
}
