//! The module on its floor, on both engines, with a scripted provider at the other end of a real connection.

mod answers;
mod conversations;
mod crash;
mod faults;
mod provider;
mod providers;
mod rights;
mod wire;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use kernel::{
    AccountId, Actor, Caller, Db, Egress, EgressConfig, Id, PermissionSet, Problem, RequestContext, SYSTEM_TENANT,
    Standing, Tasks, TenantId, Tx,
};
use serde_json::Value;
use tenancy::{NewTenant, Tenancy, TenancyConfig};
use testkit::{Engine, TestDb};
use tokio::sync::watch;
use uuid::Uuid;

use crate::tests::provider::Script;
use crate::{
    AnswerId, Branch, Chat, ChatConfig, ChatEvent, CollectionId, Conversation, DocumentId, EventKind, NewConversation,
    NewMessage, NewProvider, PERMISSIONS, Passage, Provider, Retrieved, Retriever,
};

/// What every wait of these tests ends after, in vain.
const PATIENCE: Duration = Duration::from_secs(30);

/// Passages that the fake finds, and who may read them.
#[derive(Default)]
struct Library {
    passages: Mutex<Vec<Passage>>,
    forbidden: AtomicBool,
    searches: AtomicU32,
    collections: Mutex<BTreeSet<CollectionId>>,
}

#[async_trait]
impl Retriever for Library {
    async fn retrieve(
        &self,
        _caller: &Caller,
        _query: &str,
        collections: Option<&[CollectionId]>,
        _limit: u32,
    ) -> Result<Retrieved, Problem> {
        self.searches.fetch_add(1, Ordering::SeqCst);
        self.collections.lock().unwrap().extend(collections.unwrap_or_default());
        let passages = self.passages.lock().unwrap().clone();
        Ok(Retrieved { passages, rung: "text".to_owned() })
    }

    async fn still_permitted(&self, _caller: &Caller, _documents: &[DocumentId]) -> bool {
        !self.forbidden.load(Ordering::SeqCst)
    }
}

fn passage(number: u128, text: &str) -> Passage {
    Passage {
        document: Id::from_uuid(Uuid::from_u128(number)),
        version: Id::from_uuid(Uuid::from_u128(number + 100)),
        collection: Id::from_uuid(Uuid::from_u128(1000)),
        name: format!("doc{number}.md"),
        heading: Some("Heading".to_owned()),
        text: text.to_owned(),
        start: 5,
        end: 5 + text.len() as u64,
        score: 0.5,
    }
}

fn config() -> ChatConfig {
    ChatConfig {
        enabled: true,
        max_message_bytes: 10_000,
        max_request_bytes: 100_000,
        max_answer_bytes: 100_000,
        history_messages: 20,
        max_answers_per_account: 8,
        max_answers_per_tenant: 64,
        max_answers: 100,
        answer_timeout: 60,
        resume_window: 600,
        gather_ms: 5,
        recheck_ms: 50,
        retries: 1,
        breaker_failures: 4,
        breaker_seconds: 60,
        passages: 8,
    }
}

/// Chat in a tenant of its own, with a member who asks.
struct World {
    db: TestDb,
    tenancy: Tenancy,
    chat: Chat,
    tasks: Tasks,
    library: Arc<Library>,
    script: Script,
    tenant: TenantId,
    asker: Caller,
}

fn tenancy(db: &Db) -> Tenancy {
    let config = TenancyConfig {
        base_domain: "localhost".to_owned(),
        public_port: Some(8443),
        deletion_grace_days: 30,
        invitation_lifetime_hours: 48,
        directory_ttl_ms: 60_000,
        directory_capacity: 1000,
        domains: tenancy::DomainsConfig::default(),
    };
    Tenancy::new(db.clone(), config, vec![("tenancy", tenancy::PERMISSIONS), ("chat", PERMISSIONS)])
}

fn open(db: &Db, library: &Arc<Library>, config: ChatConfig) -> Chat {
    let rules = EgressConfig { allow: vec!["127.0.0.1".to_owned()], connect_timeout_ms: 1000 };
    let retriever = Arc::clone(library) as Arc<dyn Retriever>;
    Chat::new(db.clone(), Egress::new(&rules).unwrap(), config, Some(retriever), None)
}

async fn world(engine: Engine) -> World {
    world_with(engine, config()).await
}

async fn world_with(engine: Engine, config: ChatConfig) -> World {
    let db = testkit::db(engine).await;
    let tenancy = tenancy(&db);
    tenancy.ensure_system_tenant().await.unwrap();
    let library = Arc::<Library>::default();
    let chat = open(&db, &library, config);
    let tasks = Tasks::default();
    chat.start(&tasks);
    let operator = Caller::system("test", SYSTEM_TENANT);
    let new = NewTenant { slug: "acme".to_owned(), name: "Acme".to_owned(), owner_email: None };
    let tenant = tenancy.create_tenant(&operator, new).await.unwrap().tenant.id;
    let asker = member(&db, &tenancy, tenant).await;
    World { db, tenancy, chat, tasks, library, script: Script::start().await, tenant, asker }
}

/// A credential that holds until it is taken away.
#[derive(Debug)]
struct Pass {
    permissions: PermissionSet,
    taken: watch::Sender<u64>,
}

impl Pass {
    fn take_away(&self) {
        self.taken.send_replace(1);
    }
}

#[async_trait]
impl Standing for Pass {
    async fn permissions(&self) -> Result<PermissionSet, Problem> {
        if *self.taken.borrow() == 0 { Ok(self.permissions.clone()) } else { Err(Problem::unauthenticated()) }
    }

    fn bell(&self) -> watch::Receiver<u64> {
        self.taken.subscribe()
    }
}

/// The same caller by a credential of their own.
fn with_pass(caller: &Caller) -> (Caller, Arc<Pass>) {
    let pass = Arc::new(Pass { permissions: caller.permissions.clone(), taken: watch::Sender::new(0) });
    (caller.clone().with_standing(pass.clone()), pass)
}

/// A new member who may do everything in the tenant.
async fn member(db: &Db, tenancy: &Tenancy, tenant: TenantId) -> Caller {
    let system = Caller::system("test", tenant);
    let roles = tenancy.list_roles(&system, &kernel::ListParams::default()).await.unwrap().1;
    let owner = roles.items.into_iter().find(|role| role.name == "owner").unwrap().id;
    let account: AccountId = db.random().id(db.clock().now());
    let email = format!("{account}@example.com");
    let join = async |tx: &Tx| tenancy.add_member(tx, &system, account, &email, "Ada", owner).await;
    db.write(&system, join).await.unwrap();
    let grants = db.read(&system, async |tx: &Tx| tenancy.grants_of(tx, account).await).await.unwrap();
    let session = db.random().id(db.clock().now());
    let actor = Actor::Account { id: account, session, name: Arc::from("ada") };
    Caller::new(actor, tenant, grants.permissions, RequestContext::new("test", Duration::from_secs(60)))
}

fn ask(content: &str) -> NewMessage {
    NewMessage {
        content: content.to_owned(),
        parent: None,
        from_start: false,
        collections: None,
        provider: None,
        model: None,
    }
}

fn with_key(caller: &Caller, key: &str) -> Caller {
    let mut caller = caller.clone();
    caller.request = RequestContext::new("test", Duration::from_secs(60));
    caller.request.idempotency_key = Some(key.into());
    caller
}

impl World {
    /// Adds a provider that behaves as the script's scenario of this name.
    async fn provider(&self, scenario: &str) -> Provider {
        let new = NewProvider {
            name: scenario.to_owned(),
            kind: None,
            base_url: self.script.url(scenario),
            api_key: Some("sk-canary-key".to_owned().into()),
            models: vec!["small".to_owned(), "large".to_owned()],
            position: None,
            first_token_timeout_ms: Some(1000),
            idle_timeout_ms: Some(1000),
            enabled: None,
        };
        self.chat.create_provider(&self.asker, new).await.unwrap()
    }

    fn holds(&self, passages: Vec<Passage>) {
        *self.library.passages.lock().unwrap() = passages;
    }

    async fn conversation(&self) -> Conversation {
        self.chat.create_conversation(&self.asker, NewConversation::default()).await.unwrap()
    }

    /// Asks in a new conversation.
    async fn ask(&self, content: &str) -> crate::Answer {
        let conversation = self.conversation().await;
        self.chat.send_message(&self.asker, conversation.id, ask(content)).await.unwrap()
    }

    async fn all(&self, answer: AnswerId) -> Vec<ChatEvent> {
        follow(&self.chat, &self.asker, answer, 0).await
    }

    /// The entries of the trail with this action.
    async fn audited(&self, action: &str) -> Vec<audit::AuditEntry> {
        let params = kernel::ListParams { filter: Some(format!("action eq \"{action}\"")), ..Default::default() };
        let trail = audit::Audit::new(self.db.clone());
        trail.list(&Caller::system("test", self.tenant), &params).await.unwrap().1.items
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.chat.drain();
    }
}

/// The events after this number to the end of the stream.
async fn follow(chat: &Chat, caller: &Caller, answer: AnswerId, after: i64) -> Vec<ChatEvent> {
    let events = chat.follow(caller, answer, after).await.unwrap();
    tokio::time::timeout(PATIENCE, events.collect()).await.expect("the stream ends")
}

fn kinds(events: &[ChatEvent]) -> Vec<&'static str> {
    let mut kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    kinds.dedup();
    kinds
}

fn data(event: &ChatEvent) -> Value {
    serde_json::from_str(&event.data).unwrap()
}

fn text(events: &[ChatEvent]) -> String {
    let tokens = events.iter().filter(|event| event.kind == EventKind::Token);
    tokens.map(|event| data(event)["text"].as_str().unwrap().to_owned()).collect()
}

/// Numbers go up by one, from the first.
fn assert_gap_free(events: &[ChatEvent], first: i64) {
    let numbers: Vec<_> = events.iter().map(|event| event.seq).collect();
    let expected: Vec<_> = (first..).take(events.len()).collect();
    assert_eq!(numbers, expected);
}
