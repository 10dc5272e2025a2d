import { type Collection, MongoClient, type ObjectId } from 'mongodb';

export interface ReceiptRecord {
  readonly _id: ObjectId;
  readonly tenantId: string;
  readonly attachments: readonly { readonly key: string }[];
  readonly previewKey?: string;
  readonly [field: string]: unknown;
}

/** The collection of receipts as the demo sees it: directly. */
export class Records {
  private constructor(
    private readonly client: MongoClient,
    private readonly collection: Collection<ReceiptRecord>,
  ) {}

  static async open(url: string): Promise<Records> {
    const client = await MongoClient.connect(url, { w: 'majority', journal: true });
    return new Records(client, client.db().collection('receipts'));
  }

  /** Those the default resource needs. For a database of ours only: in somebody's own, none is ever created. */
  async createIndexes(): Promise<void> {
    await this.collection.createIndexes([
      { key: { tenantId: 1, _id: 1 } },
      { key: { 'attachments.key': 1 } },
      { key: { previewKey: 1 } },
    ]);
  }

  async insert(records: ReceiptRecord[]): Promise<void> {
    await this.collection.insertMany(records, { ordered: false });
  }

  count(tenantId: string): Promise<number> {
    return this.collection.countDocuments({ tenantId });
  }

  async ids(tenantId: string): Promise<string[]> {
    const found = await this.collection.find({ tenantId }, { projection: { _id: 1 } }).toArray();
    return found.map(({ _id }) => _id.toHexString());
  }

  async removeAll(tenantId: string): Promise<void> {
    await this.collection.deleteMany({ tenantId });
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
