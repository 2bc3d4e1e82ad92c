import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outgoingHeaders, substitutedAuthorization, withheld } from "./substitution.ts";

const SECRET = "123456:AAsecret-of-the-bot";

describe("an Authorization header", () => {
  it("is replaced only when it is exactly the placeholder", () => {
    const given = new Headers({ authorization: "Bearer placeholder", accept: "*/*" });
    const real = substitutedAuthorization(given, "Bearer placeholder", "Bearer real");
    expect(real?.get("authorization")).toBe("Bearer real");
    expect(real?.get("accept")).toBe("*/*");
    for (const other of ["bearer placeholder", "Bearer placeholderx", "Bearer x placeholder", ""]) {
      const headers = new Headers(other === "" ? {} : { authorization: other });
      expect(
        substitutedAuthorization(headers, "Bearer placeholder", "Bearer real"),
      ).toBeUndefined();
    }
  });
});

it("nothing of the way here leaves with a request", () => {
  const out = outgoingHeaders(
    new Headers({ host: "a", cookie: "b", "x-forwarded-for": "c", "cf-ray": "d", accept: "e" }),
  );
  expect([...out.keys()].toSorted()).toEqual(["accept", "accept-encoding"]);
});

describe("an answer", () => {
  it("without the token passes byte for byte, however it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
        async (cut) => {
          const bytes = Buffer.concat(cut);
          fc.pre(!bytes.includes(SECRET));
          const passed = await withheld(new Response(ReadableStream.from(cut)), [SECRET]).bytes();
          expect(Buffer.from(passed).equals(bytes)).toBe(true);
        },
      ),
    );
  });

  it("with the token ends with an error before any part of it is out, wherever it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 60 }),
        fc.string({ maxLength: 60 }),
        fc.integer({ min: 1, max: 30 }),
        async (before, after, size) => {
          const bytes = Buffer.from(`${before}${SECRET}${after}`);
          const cut = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
            Uint8Array.from(bytes.subarray(n * size, (n + 1) * size)),
          );
          const { body } = withheld(new Response(ReadableStream.from(cut)), [SECRET]);
          const seen: Uint8Array[] = [];
          await expect(
            (async () => {
              for await (const chunk of body ?? []) seen.push(chunk);
            })(),
          ).rejects.toMatchObject({ code: "secret-in-answer" });
          expect(Buffer.from(before).subarray(0, Buffer.concat(seen).length)).toEqual(
            Buffer.concat(seen),
          );
        },
      ),
    );
  });

  it("loses a header that holds the token", () => {
    const answer = new Response(null, { headers: { location: `/bot${SECRET}/x`, etag: "1" } });
    expect([...withheld(answer, [SECRET]).headers.keys()]).toEqual(["etag"]);
  });
});
