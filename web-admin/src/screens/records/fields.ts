/** The fields of a form, out of a collection's JSON Schema. What no field can say is written as JSON. */
import { isObject, valueAt, type JsonObject } from "../../api/json";

export type FieldKind = "text" | "date" | "choice" | "number" | "yes_no" | "texts" | "group" | "json";

export interface Field {
  place: string[];
  label: string;
  /** What the schema says about it. */
  hint: string | undefined;
  required: boolean;
  kind: FieldKind;
  /** Of `choice`. */
  choices: string[];
  /** Of `number`: whole ones only. */
  whole: boolean;
  /** Of `group`. */
  fields: Field[];
}

/** The deepest group that is a group; deeper ones are JSON. */
const MAX_DEPTH = 4;

/** The fields of a schema; none when it does not say which members there are. */
export function fieldsOf(schema: unknown): Field[] {
  return isObject(schema) ? membersOf(schema, schema, []) : [];
}

/** Fields that must be there and are not, by the keys of their places. A group that is left out asks for nothing. */
export function missing(fields: Field[], data: JsonObject): string[] {
  return fields.flatMap((field) => {
    const value = valueAt(data, field.place);
    if (field.kind === "group")
      return field.required || value !== undefined ? missing(field.fields, data) : [];
    return field.required && value === undefined ? [keyOf(field)] : [];
  });
}

/** The server's complaints by the fields that can show them: the place itself, or else the one around it. */
export function complaintsByField(
  fields: Field[],
  errors: { path: string; detail: string }[],
): Record<string, string> {
  const known = new Set(flat(fields).map(keyOf));
  const found: Record<string, string> = {};
  for (const { path, detail } of errors) {
    let key = path.replace(/^data(\.|$)/, "");
    while (key !== "" && !known.has(key)) key = key.slice(0, Math.max(0, key.lastIndexOf(".")));
    if (key !== "") found[key] = found[key] ? `${found[key]} ${detail}` : detail;
  }
  return found;
}

/** A place as the server names it. */
export function keyOf({ place }: Pick<Field, "place">): string {
  return place.map((name) => name.replaceAll("~", "~0").replaceAll("/", "~1")).join(".");
}

function flat(fields: Field[]): Field[] {
  return fields.flatMap((field) => [field, ...flat(field.fields)]);
}

function membersOf(schema: JsonObject, root: JsonObject, place: string[]): Field[] {
  const members = isObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  // Objects come back from the server in the order of the alphabet, lists as they were written: what is required comes
  // first, in the order in which it is named.
  const rank = (name: string) => (required.includes(name) ? required.indexOf(name) : required.length);
  return Object.entries(members)
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([name, member]) =>
      fieldOf(resolved(member, root), root, [...place, name], required.includes(name)),
    );
}

function fieldOf(schema: JsonObject, root: JsonObject, place: string[], required: boolean): Field {
  const name = place.at(-1) ?? "";
  const fields =
    typeOf(schema) === "object" && place.length < MAX_DEPTH ? membersOf(schema, root, place) : [];
  const choices = textsOf(schema.enum);
  return {
    place,
    label: typeof schema.title === "string" && schema.title ? schema.title : name,
    hint: typeof schema.description === "string" ? schema.description : undefined,
    required,
    kind: kindOf(schema, root, choices, fields),
    choices,
    whole: typeOf(schema) === "integer",
    fields,
  };
}

function kindOf(schema: JsonObject, root: JsonObject, choices: string[], fields: Field[]): FieldKind {
  if (choices.length > 0) return "choice";
  if ("enum" in schema || "const" in schema) return "json";
  switch (typeOf(schema)) {
    case "string":
      return schema.format === "date" ? "date" : "text";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "yes_no";
    case "array":
      return isObject(schema.items) && isText(resolved(schema.items, root)) ? "texts" : "json";
    case "object":
      return fields.length > 0 ? "group" : "json";
    default:
      return "json";
  }
}

function isText(schema: JsonObject): boolean {
  return typeOf(schema) === "string" && !("const" in schema);
}

/** The one type beside null; nothing when there are several. */
function typeOf(schema: JsonObject): string | undefined {
  const types = [schema.type].flat().filter((type) => type !== "null");
  const [only] = types;
  if (types.length === 1 && typeof only === "string") return only;
  return isObject(schema.properties) ? "object" : undefined;
}

function textsOf(choices: unknown): string[] {
  const all = Array.isArray(choices) ? choices.filter((choice) => choice !== null) : [];
  return all.every((choice) => typeof choice === "string") ? all : [];
}

/** Follows references within the schema; the server takes no others, and none that lead back. */
function resolved(schema: unknown, root: JsonObject, steps = 0): JsonObject {
  if (!isObject(schema)) return {};
  if (typeof schema.$ref !== "string" || steps > 32) return schema;
  const names = schema.$ref.replace(/^#\//, "").split("/");
  const target = valueAt(
    root,
    names.map((name) => decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~")),
  );
  return { ...resolved(target, root, steps + 1), ...schema, $ref: undefined };
}
