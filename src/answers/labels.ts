/** Labels in wire form, each with its length octet, without the root. `texts` are ASCII, at most 63 octets each. */
export function wireLabels(...texts: string[]): Uint8Array {
  const octets: number[] = [];
  for (const text of texts) {
    octets.push(text.length);
    for (const letter of text) octets.push(letter.charCodeAt(0));
  }
  return new Uint8Array(octets);
}
