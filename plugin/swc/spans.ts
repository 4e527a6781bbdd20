/**
 * The one place that knows what an SWC position is: a UTF-8 byte offset from a base, over a source whose BOM has been
 * stripped. The IR counts UTF-16 units of the source as given.
 */

/** Turns an SWC position into an offset into `source`. `base` is the position of the source's first byte. */
export type Offset = (position: number) => number;

export function offsetsOf(source: string, base: number): Offset {
  const bom = source.charCodeAt(0) === 0xfeff ? 1 : 0;
  const shift = bom - base;
  const first = firstNonAscii(source, bom);
  if (first === -1) return (position) => position + shift;

  // After `bytes[i]` bytes, an offset is `offsets[i]` plus the bytes since, until the next wide character.
  const { bytes, offsets } = breaksOf(source, bom, first);
  return (position) => {
    const byte = position - base;
    let low = 0;
    let high = bytes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (bytes[middle]! <= byte) low = middle;
      else high = middle - 1;
    }
    return offsets[low]! + byte - bytes[low]!;
  };
}

const NON_ASCII = /[^\0-\x7f]/g;

function firstNonAscii(source: string, from: number): number {
  NON_ASCII.lastIndex = from;
  return NON_ASCII.test(source) ? NON_ASCII.lastIndex - 1 : -1;
}

/** The end of each character that takes more than one byte, in bytes and in UTF-16 units. */
function breaksOf(source: string, start: number, first: number): { bytes: number[]; offsets: number[] } {
  const bytes = [0];
  const offsets = [start];
  let byte = first - start;
  for (let i = first; i < source.length; i++) {
    const unit = source.charCodeAt(i);
    if (unit <= 0x7f) {
      byte++;
      continue;
    }
    if (isPair(source, i)) {
      byte += 4;
      i++;
    } else {
      // A surrogate without its other half reaches SWC as U+FFFD, which takes three bytes like the rest of its plane.
      byte += unit <= 0x7ff ? 2 : 3;
    }
    bytes.push(byte);
    offsets.push(i + 1);
  }
  return { bytes, offsets };
}

function isPair(source: string, i: number): boolean {
  const unit = source.charCodeAt(i);
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = source.charCodeAt(i + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}
