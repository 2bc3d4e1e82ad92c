/**
 * An age X25519 recipient: `age1` and the public key in Bech32. Fails closed: what is anything else
 * is refused, so that content is never sealed to a key that nobody has.
 * https://age-encryption.org/v1, "X25519 recipient type"; Bech32: BIP 173
 */
const PREFIX = "age";
const DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM_DIGITS = 6;
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const KEY_BYTES = 32;

/** The 32 bytes of the public key. Throws on anything that is no such recipient. */
export function publicKeyOf(recipient: string): Buffer {
  const separator = recipient.lastIndexOf("1");
  const digits = [...recipient.slice(separator + 1)].map((digit) => DIGITS.indexOf(digit));
  const isWhole =
    recipient.slice(0, separator) === PREFIX && !digits.includes(-1) && checksum(digits) === 1;
  const key = isWhole ? bytesOf(digits.slice(0, -CHECKSUM_DIGITS)) : undefined;
  if (key?.length !== KEY_BYTES) throw new Error("not an age X25519 recipient");
  return key;
}

function checksum(digits: readonly number[]): number {
  const letters = [...PREFIX].map((letter) => letter.charCodeAt(0));
  const expanded = [...letters.map((code) => code >> 5), 0, ...letters.map((code) => code & 31)];
  let sum = 1;
  for (const value of [...expanded, ...digits]) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, factor] of GENERATOR.entries()) if ((top >>> bit) & 1) sum ^= factor;
  }
  return sum;
}

/** Groups of five bits as bytes; undefined when the bits left over say anything. */
function bytesOf(digits: readonly number[]): Buffer | undefined {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const digit of digits) {
    held = ((held << 5) | digit) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return bits < 5 && (held & ((1 << bits) - 1)) === 0 ? Buffer.from(bytes) : undefined;
}
