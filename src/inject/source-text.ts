/** Lines of a text by offset. Offsets count UTF-16 units, as those of `yaml` do. */
export class SourceText {
  readonly text: string;
  /** How the text ends its lines. */
  readonly lineBreak: "\n" | "\r\n";

  constructor(text: string) {
    this.text = text;
    this.lineBreak = text.includes("\r\n") ? "\r\n" : "\n";
  }

  lineStart(at: number): number {
    return at === 0 ? 0 : this.text.lastIndexOf("\n", at - 1) + 1;
  }

  /** Before the line break, or the end of the text. */
  lineEnd(at: number): number {
    const newline = this.text.indexOf("\n", at);
    if (newline === -1) return this.text.length;
    return this.text[newline - 1] === "\r" && newline > at ? newline - 1 : newline;
  }

  /** Behind the line break, or the end of the text. */
  nextLine(at: number): number {
    const newline = this.text.indexOf("\n", at);
    return newline === -1 ? this.text.length : newline + 1;
  }

  column(at: number): number {
    return at - this.lineStart(at);
  }

  /** Counted from 1. */
  lineNumber(at: number): number {
    return this.text.slice(0, at).split("\n").length;
  }

  /** Whether only blanks are before it on its line. */
  isFirstOnLine(at: number): boolean {
    return /^ *$/.test(this.text.slice(this.lineStart(at), at));
  }
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Changes of a text that leave everything between them as it was, to the octet. */
export class SourceEdits {
  readonly #edits: Edit[] = [];

  /** Texts inserted at one place stand in the order of the calls. */
  insert(at: number, text: string): void {
    this.replace(at, at, text);
  }

  remove(start: number, end: number): void {
    this.replace(start, end, "");
  }

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  add(edits: SourceEdits): void {
    this.#edits.push(...edits.#edits);
  }

  apply(text: string): string {
    let result = "";
    let at = 0;
    for (const edit of this.#edits.toSorted((left, right) => left.start - right.start)) {
      if (edit.start < at) throw new Error(`Cannot apply edits: two meet at character ${edit.start}`);
      result += text.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    return result + text.slice(at);
  }
}
