/** The words of the API, by the names that the screens use. All of them are generated. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type Answer = Schemas["Answer"];
export type ApiKey = Schemas["ApiKey"];
export type AuditEntry = Schemas["AuditEntry"];
export type Certificate = Schemas["Certificate"];
export type CertificateStep = Schemas["CertificateStep"];
export type Citation = Schemas["Citation"];
export type Collection = Schemas["Collection"];
export type Conversation = Schemas["Conversation"];
export type CreatedInvitation = Schemas["CreatedInvitation"];
export type DocumentText = Schemas["DocumentText"];
export type DocumentVersion = Schemas["DocumentVersion"];
export type Domain = Schemas["Domain"];
export type DomainStep = Schemas["DomainStep"];
export type EdgeRequest = Schemas["EdgeRequest"];
export type EmbeddingModel = Schemas["EmbeddingModel"];
export type Grant = Schemas["Grant"];
export type Invitation = Schemas["Invitation"];
export type Job = Schemas["Job"];
export type KnowledgeDocument = Schemas["KnowledgeDocument"];
export type LimitedClient = Schemas["LimitedClient"];
export type LimitHypothesis = Schemas["LimitHypothesis"];
export type LimitInForce = Schemas["LimitInForce"];
export type LimitSimulation = Schemas["LimitSimulation"];
export type LimitSubject = Schemas["LimitSubject"];
export type LimitToll = Schemas["LimitToll"];
export type Me = Schemas["Me"];
export type Member = Schemas["Member"];
export type Message = Schemas["Message"];
export type ModelProvider = Schemas["ModelProvider"];
export type NewGrant = Schemas["NewGrant"];
/** What has a default may be left out. */
export type NewMessage = Partial<Schemas["NewMessage"]> & Pick<Schemas["NewMessage"], "content">;
export type Overview = Schemas["SystemOverview"];
export type Permission = Schemas["Permission"];
export type Pool = Schemas["Pool"];
export type PoolStatus = Schemas["PoolStatus"];
export type Problem = Schemas["Problem"];
export type ProblemField = Schemas["ProblemField"];
export type ProviderTest = Schemas["ProviderTest"];
export type PurgeAnswers = Schemas["PurgeAnswers"];
export type QueueStats = Schemas["QueueStats"];
export type Role = Schemas["Role"];
export type Route = Schemas["Route"];
export type RouteQuestion = Schemas["RouteQuestion"];
export type RouteVerdict = Schemas["RouteVerdict"];
export type RoutingStatus = Schemas["RoutingStatus"];
export type SearchHit = Schemas["SearchHit"];
export type SearchMode = Schemas["SearchMode"];
export type SearchResult = Schemas["SearchResult"];
export type Session = Schemas["Session"];
export type Tenant = Schemas["Tenant"];
export type Verification = Schemas["Verification"];
/** A document of the vault; `Document` is the browser's. */
export type VaultDocument = Schemas["Document"];
/** A record of the vault; `Record` is the language's. */
export type VaultRecord = Schemas["Record"];
