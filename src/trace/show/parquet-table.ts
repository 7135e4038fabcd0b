/**
 * A Parquet file that is written while its rows come: rows are collected into row groups, encoded
 * by hyparquet-writer, and handed on. Memory holds one row group and the footer's entry for each.
 * Leaves out what the columns are (parquet.ts).
 */
import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { ByteSink } from './sink.js';

/** Rows of a group: a few megabytes, which readers take as one piece. */
export const groupRows = 16_384;

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

/** The values of a column in the row group that is being filled. */
interface Filling {
  set(row: number, value: Cell): void;
  /** The first `rows` values as hyparquet-writer takes them. */
  take(rows: number): ColumnSource['data'];
}

/** Doubles until the group is full, so that no row makes objects; NaN stands for null. */
function integers(nullable: boolean): Filling {
  const values = new Float64Array(groupRows);
  return {
    set(row, value) {
      // A damaged trace may hold anything; what is no 64-bit integer is as good as unknown.
      const fits = typeof value === 'number' && Math.abs(value) < 2 ** 63;
      values[row] = fits ? Math.round(value) : nullable ? Number.NaN : 0;
    },
    take(rows) {
      const some = values.subarray(0, rows);
      if (nullable) return Array.from(some, (one) => (Number.isNaN(one) ? null : BigInt(one)));
      return BigInt64Array.from(some, BigInt);
    },
  };
}

function others(): Filling {
  let values: Cell[] = [];
  return {
    set(row, value) {
      values[row] = value;
    },
    take() {
      const taken = values;
      values = [];
      return taken;
    },
  };
}

export class ParquetTable<C extends Columns> {
  private readonly writer: ParquetWriter;
  private readonly filling: readonly (readonly [keyof C & string, Filling])[];
  private rows = 0;

  /** `about` goes into the file's key-value metadata. */
  constructor(columns: C, sink: ByteSink, about: Readonly<Record<string, string>>) {
    const names: readonly (keyof C & string)[] = Object.keys(columns);
    this.filling = names.map((name) => {
      const type = columns[name] ?? 'text';
      return [name, type.startsWith('int') ? integers(type.endsWith('?')) : others()];
    });
    this.writer = new ParquetWriter({
      writer: new SinkWriter(sink),
      schema: schemaOf(columns),
      createdBy: 'civac',
      kvMetadata: Object.entries(about).map(([key, value]) => ({ key, value })),
    });
  }

  add(row: Row<C>): void {
    for (const [name, filling] of this.filling) filling.set(this.rows, row[name]);
    this.rows += 1;
    if (this.rows === groupRows) this.writeGroup();
  }

  finish(): void {
    if (this.rows > 0) this.writeGroup();
    this.writer.finish();
  }

  private writeGroup(): void {
    const columnData = this.filling.map(
      ([name, filling]): ColumnSource => ({ name, data: filling.take(this.rows) }),
    );
    this.writer.write({ columnData, rowGroupSize: groupRows });
    this.rows = 0;
  }
}
