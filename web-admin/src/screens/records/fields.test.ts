import { expect, test } from "vitest";
import { complaintsByField, fieldsOf, keyOf, missing, type Field } from "./fields";

const SCHEMA = {
  type: "object",
  required: ["name", "address"],
  properties: {
    name: { $ref: "#/$defs/name", description: "As on the pass" },
    born: { type: "string", format: "date" },
    berths: { type: ["integer", "null"], minimum: 0 },
    rig: { enum: ["sloop", "ketch"] },
    insured: { type: "boolean" },
    flags: { type: "array", items: { type: "string" } },
    log: { type: "array", items: { type: "object" } },
    odd: { anyOf: [{ type: "string" }, { type: "number" }] },
    address: {
      properties: { town: { type: "string" }, "a/b": { type: "string" } },
      required: ["town"],
    },
    mooring: { type: "object", required: ["pier"], properties: { pier: { type: "string" } } },
  },
  $defs: { name: { type: "string", title: "Name of the boat" } },
};

const fields = fieldsOf(SCHEMA);
const field = (name: string) => fields.find(({ place }) => place[0] === name) as Field;

test("each member becomes the field that fits it, what is required first, and what fits none is JSON", () => {
  expect(fields.map(({ place, kind }) => `${place[0]} ${kind}`)).toEqual([
    "name text",
    "address group",
    "born date",
    "berths number",
    "rig choice",
    "insured yes_no",
    "flags texts",
    "log json",
    "odd json",
    "mooring group",
  ]);
  expect(field("name")).toMatchObject({ label: "Name of the boat", hint: "As on the pass", required: true });
  expect(field("berths")).toMatchObject({ whole: true, required: false });
  expect(field("address").fields.map(keyOf)).toEqual(["address.town", "address.a~1b"]);
});

test("a schema that names no members, or is none, has no fields", () => {
  for (const schema of [null, undefined, true, {}, { type: "object" }, { properties: [] }])
    expect(fieldsOf(schema)).toEqual([]);
});

test("what must be there and is not is named; a group that is left out asks for nothing", () => {
  expect(missing(fields, {})).toEqual(["name", "address.town"]);
  expect(missing(fields, { name: "", address: { town: "Kiel" } })).toEqual([]);
  expect(missing(fields, { name: "", address: { town: "Kiel" }, mooring: {} })).toEqual(["mooring.pier"]);
});

test("a complaint is shown at its field, or at the one around its place", () => {
  const errors = [
    { path: "data.berths", detail: "Too few." },
    { path: "data.address.town", detail: "Too short." },
    { path: "data.address.a~1b", detail: "Odd." },
    { path: "data.flags.1", detail: "No text." },
    { path: "data.flags.2", detail: "No text either." },
    { path: "data", detail: "Not that." },
    { path: "data.unknown", detail: "Nor that." },
  ];

  expect(complaintsByField(fields, errors)).toEqual({
    berths: "Too few.",
    "address.town": "Too short.",
    "address.a~1b": "Odd.",
    flags: "No text. No text either.",
  });
});
