// Ids and their tokens, by contract §1, without Marquee's code.

const plain = /^[A-Za-z0-9_-]$/;
// \p{Surrogate} matches only a lone one: such a string is no text and has no UTF-8.
const unwanted = /[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u;

/** Whether it is 1 to 128 bytes of UTF-8 without control characters. */
export function isId(text) {
  if (typeof text !== "string" || text === "" || text.length > 128 || unwanted.test(text)) return false;
  return Buffer.byteLength(text) <= 128;
}

/** The id as one subject token. */
export function encodeToken(id) {
  let token = "";
  for (const byte of Buffer.from(id)) {
    const char = String.fromCharCode(byte);
    token += plain.test(char) ? char : "=" + byte.toString(16).toUpperCase().padStart(2, "0");
  }
  return token;
}
