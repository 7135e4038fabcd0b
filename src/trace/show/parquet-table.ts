/**
 * A Parquet file that is written while its rows come: rows are collected into row groups, encoded
 * by hyparquet-writer, and handed on. Memory holds one row group and the footer's entry for each.
 * Leaves out what the columns are (parquet.ts).
 */
import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { ByteSink } from './sink.js';

/** Rows of a group: a few megabytes, which readers take as one piece. */
export const groupRows = 32_768;

/** int: 64-bit integers, given as whole numbers. A nullable column takes null. */
export type ColumnType = 'int' | 'text' | 'bool' | 'int?' | 'text?' | 'bool?';
export type Cell = number | string | boolean | null;

/** Names and types of the columns, in order. */
export type Columns = Readonly<Record<string, ColumnType>>;
/** A value for each column. */
export type Row<C extends Columns> = { readonly [name in keyof C]: Cell };

function schemaOf(columns: Columns): SchemaElement[] {
  const names = Object.entries(columns);
  return [
    { name: 'schema', num_children: names.length },
    ...names.map(([name, type]): SchemaElement => {
      const repetition = type.endsWith('?') ? 'OPTIONAL' : 'REQUIRED';
      if (type.startsWith('int')) return { name, type: 'INT64', repetition_type: repetition };
      if (type.startsWith('bool')) return { name, type: 'BOOLEAN', repetition_type: repetition };
      return {
        name,
        type: 'BYTE_ARRAY',
        converted_type: 'UTF8',
        logical_type: { type: 'STRING' },
        repetition_type: repetition,
      };
    }),
  ];
}

/** A buffer that is emptied into the sink after each row group. */
class SinkWriter extends ByteWriter {
  constructor(private readonly sink: ByteSink) {
    super(1 << 20);
  }

  flush(): void {
    if (this.index > 0) this.sink.write(this.getBytes());
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/** A value as hyparquet-writer takes it; null only where the column allows it. */
function encoded(value: Cell, type: ColumnType, name: string): bigint | string | boolean | null {
  if (value === null) {
    if (type.endsWith('?')) return null;
    throw new Error(`column ${name} has no value`);
  }
  return typeof value === 'number' ? BigInt(Math.round(value)) : value;
}

export class ParquetTable<C extends Columns> {
  private readonly writer: ParquetWriter;
  private readonly names: readonly (keyof C & string)[];
  private data: (bigint | string | boolean | null)[][];
  private rows = 0;

  /** `about` goes into the file's key-value metadata. */
  constructor(
    private readonly columns: C,
    sink: ByteSink,
    about: Readonly<Record<string, string>>,
  ) {
    this.names = Object.keys(columns);
    this.data = this.names.map(() => []);
    this.writer = new ParquetWriter({
      writer: new SinkWriter(sink),
      schema: schemaOf(columns),
      createdBy: 'civac',
      kvMetadata: Object.entries(about).map(([key, value]) => ({ key, value })),
    });
  }

  add(row: Row<C>): void {
    for (const [i, name] of this.names.entries()) {
      const type = this.columns[name] ?? 'text';
      this.data[i]?.push(encoded(row[name], type, name));
    }
    this.rows += 1;
    if (this.rows === groupRows) this.writeGroup();
  }

  finish(): void {
    if (this.rows > 0) this.writeGroup();
    this.writer.finish();
  }

  private writeGroup(): void {
    const columnData = this.names.map(
      (name, i): ColumnSource => ({ name, data: this.data[i] ?? [] }),
    );
    this.writer.write({ columnData, rowGroupSize: groupRows });
    this.data = this.names.map(() => []);
    this.rows = 0;
  }
}
