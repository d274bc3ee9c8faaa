/** What a route says, as people say it. Rows are JSON, so nothing is taken for granted here. */
import { isObject, valueAt, type JsonObject } from "../../api/json";

/** `shop.example /shop/* GET`: which requests. */
export function requestsInWords(match: unknown): string {
  const condition = isObject(match) ? match : {};
  const methods = texts(condition.methods);
  const clients = texts(condition.clients);
  const words = [
    texts(condition.hosts).join(", "),
    pathInWords(condition.path),
    methods.join(", "),
    ...objects(condition.headers).map(headerInWords),
    clients.length > 0 && `from ${clients.join(", ")}`,
  ].filter(Boolean);
  return words.length > 0 ? words.join(" ") : "all requests";
}

function pathInWords(path: unknown): string {
  if (!isObject(path)) return "";
  const prefix = text(path.prefix);
  if (prefix) return prefix.endsWith("/") ? `${prefix}*` : `${prefix}/*`;
  return text(path.exact) || text(path.pattern);
}

function headerInWords({ name, exact, regex }: JsonObject): string {
  if (typeof exact === "string") return `with ${text(name)}: ${exact}`;
  if (typeof regex === "string") return `with ${text(name)} like ${regex}`;
  return `with ${text(name)}`;
}

/** `to the pool shop`: what is done with them. */
export function actionInWords(action: unknown): string {
  if (!isObject(action)) return "–";
  switch (action.kind) {
    case "module":
      return "on to Holdfast";
    case "upstream":
      return `to the pool ${text(action.pool)}`;
    case "files":
      return `files of ${text(action.folder)}`;
    case "redirect":
      return `redirect to ${text(action.to)} (${text(action.status) || "302"})`;
    case "respond":
      return `fixed answer ${text(action.status)}`;
    default:
      return text(action.kind) || "–";
  }
}

const MODIFIERS: Record<string, string> = {
  addresses: "by address",
  basic_auth: "with a password",
  client_certificate: "with a client certificate",
  cors: "CORS",
  maintenance: "in maintenance",
  cache: "cached",
  compression: "compressed",
  limits: "limited",
  shedding: "by priority",
};

/** `with a password, cached, rewrite`: how, in the fewest words. */
export function modifiersInWords(modifiers: unknown): string {
  if (!isObject(modifiers)) return "";
  const told = Object.entries(modifiers).filter(([, value]) => value !== null && value !== false);
  return told.map(([name]) => MODIFIERS[name] ?? name.replaceAll("_", " ")).join(", ");
}

/** Whether requests for the console and the API go this way too, and not to Holdfast. */
export function takesTheConsole(match: JsonObject, action: JsonObject, host: string): boolean {
  const hosts = texts(match.hosts);
  const here = hosts.length === 0 || hosts.some((each) => covers(each, host));
  const narrower = [match.methods, match.headers, match.clients].some((each) => objectsOrTexts(each) > 0);
  return action.kind !== "module" && here && !narrower && everything(match.path);
}

function everything(path: unknown): boolean {
  return path === undefined || path === null || valueAt(path, ["prefix"]) === "/";
}

function covers(pattern: string, host: string): boolean {
  return pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)));
}

function objectsOrTexts(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
