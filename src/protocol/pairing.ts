/** Crockford's alphabet: no letter looks like a digit. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 10;

/**
 * What a person compares between a device and the admin page: the first 50 bits of the device's id,
 * in two groups of five. The id is the hash of the device's key, so that a device with the same code
 * as another one takes about 2^50 tries to make.
 */
export function pairingCode(deviceId: string): string {
  if (!/^[0-9a-f]{16,}$/.test(deviceId)) return "";
  let bits = BigInt(`0x${deviceId.slice(0, 16)}`) >> 14n;
  let code = "";
  for (let place = 0; place < LENGTH; place += 1) {
    code = `${ALPHABET[Number(bits & 31n)] ?? ""}${code}`;
    bits >>= 5n;
  }
  return `${code.slice(0, 5)}-${code.slice(5)}`;
}
