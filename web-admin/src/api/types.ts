/** The words of the API, by the names that the screens use. All of them are generated. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type ApiKey = Schemas["ApiKey"];
export type AuditEntry = Schemas["AuditEntry"];
export type CreatedInvitation = Schemas["CreatedInvitation"];
export type Invitation = Schemas["Invitation"];
export type Job = Schemas["Job"];
export type Me = Schemas["Me"];
export type Member = Schemas["Member"];
export type Overview = Schemas["SystemOverview"];
export type Permission = Schemas["Permission"];
export type Problem = Schemas["Problem"];
export type QueueStats = Schemas["QueueStats"];
export type Role = Schemas["Role"];
export type Session = Schemas["Session"];
export type Tenant = Schemas["Tenant"];
export type Verification = Schemas["Verification"];
