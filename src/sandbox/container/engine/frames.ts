// An engine puts both streams of a container into one: frames of a byte that names the stream
// (1 is stdout, 2 is stderr), three of nothing, four of length (big-endian), and the content.

const headerBytes = 8;

/** A piece of what a container wrote. */
export interface Piece {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
}

/** Takes the frames of one stream apart, wherever it is cut into chunks. */
export class FrameReader {
  #header = Buffer.alloc(0);
  #stream: Piece["stream"] = "stdout";
  #leftBytes = 0;

  /** The pieces that a chunk holds; a frame may come in several. */
  *read(chunk: Buffer): Generator<Piece> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#leftBytes === 0) rest = this.#readHeader(rest);
      const bytes = rest.subarray(0, this.#leftBytes);
      this.#leftBytes -= bytes.length;
      rest = rest.subarray(bytes.length);
      if (bytes.length > 0) yield { stream: this.#stream, bytes };
    }
  }

  /** Reads of a header what there is; answers what follows it. */
  #readHeader(rest: Buffer): Buffer {
    const missing = headerBytes - this.#header.length;
    this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
    if (this.#header.length === headerBytes) {
      this.#stream = this.#header[0] === 2 ? "stderr" : "stdout";
      this.#leftBytes = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
    return rest.subarray(missing);
  }
}
