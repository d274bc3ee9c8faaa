//! Who can be asked for an answer: managed by administrators, tried in order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kernel::{Caller, Expected, ListParams, ListRequest, Page, Permission, Problem, TenantId, Tx};
use serde_json::{Map, json};

use crate::Chat;
use crate::announce::announce;
use crate::error::Error;
use crate::listing;
use crate::model::{NewProvider, Provider, ProviderId, ProviderKind, ProviderTest, UpdateProvider};
use crate::permissions::{PROVIDERS_READ, PROVIDERS_WRITE};
use crate::store;
use crate::store::providers::Kept;
use crate::upstream::{Ask, Candidate, Opened, Part};

/// For how long the providers of a tenant are known without looking; another process may have changed them.
const TTL: Duration = Duration::from_secs(1);
/// Tenants whose providers are known at once.
const MAX_KNOWN: usize = 10_000;
const USUAL_TIMEOUT: i64 = 30_000;
const TIMEOUTS: std::ops::RangeInclusive<i64> = 100..=600_000;
/// How long a trial may take.
const TRIAL: Duration = Duration::from_secs(10);
const MAX_PROVIDERS: usize = 100;

type Entry = (Instant, Arc<[Kept]>);

/// The providers of tenants, remembered for a moment.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashMap<TenantId, Entry>>);

impl Known {
    fn entries(&self) -> MutexGuard<'_, HashMap<TenantId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn timeout(field: &'static str, value: i64) -> Result<i64, Error> {
    let wrong = Error::ProviderInvalid(field, "100 to 600000 milliseconds");
    if TIMEOUTS.contains(&value) { Ok(value) } else { Err(wrong) }
}

fn candidate(kept: &Kept, model: &str) -> Candidate {
    let provider = &kept.provider;
    let time = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    Candidate {
        id: provider.id,
        name: provider.name.as_str().into(),
        url: format!("{}/chat/completions", provider.base_url).into(),
        key: kept.api_key.clone(),
        model: model.into(),
        first_token: time(provider.first_token_timeout_ms),
        idle: time(provider.idle_timeout_ms),
    }
}

impl Chat {
    fn parsed(&self, mut kept: Kept) -> Result<Kept, Error> {
        let provider = &mut kept.provider;
        provider.name = provider.name.trim().to_owned();
        let named = (1..=100).contains(&provider.name.chars().count()) && !provider.name.chars().any(char::is_control);
        if !named || provider.name == crate::engine::EXTRACTIVE {
            return Err(Error::ProviderInvalid("name", "1 to 100 characters, none of them a control character"));
        }
        provider.base_url = provider.base_url.trim().trim_end_matches('/').to_owned();
        if provider.base_url.contains(['?', '#']) || provider.base_url.len() > 500 {
            return Err(Error::ProviderInvalid("base_url", "an address without ? and #"));
        }
        self.upstream().check(&provider.base_url).map_err(|error| Error::AddressRefused(error.to_string()))?;
        let model = |name: &String| (1..=200).contains(&name.len()) && !name.chars().any(char::is_control);
        if !(1..=50).contains(&provider.models.len()) || !provider.models.iter().all(model) {
            return Err(Error::ProviderInvalid("models", "1 to 50 names of 1 to 200 bytes"));
        }
        timeout("first_token_timeout_ms", provider.first_token_timeout_ms)?;
        timeout("idle_timeout_ms", provider.idle_timeout_ms)?;
        let key = kept.api_key.as_ref().map(kernel::Secret::expose);
        if key.is_some_and(|key| key.is_empty() || key.len() > 4096 || !key.bytes().all(|b| b.is_ascii_graphic())) {
            return Err(Error::ProviderInvalid("api_key", "1 to 4096 printable characters without blanks"));
        }
        kept.provider.has_api_key = kept.api_key.is_some();
        Ok(kept)
    }

    fn may_manage(&self, caller: &Caller, permission: Permission) -> Result<(), Error> {
        self.require_on()?;
        Ok(caller.require(permission)?)
    }

    /// A page of the providers.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`PROVIDERS_READ`].
    pub async fn list_providers(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Provider>), Error> {
        self.may_manage(caller, PROVIDERS_READ)?;
        let request = ListRequest::new(&listing::PROVIDERS, params, caller, self.db().keys())?;
        let seal = self.seal(caller.tenant);
        let list = async |tx: &Tx| store::providers::list(tx, &seal, &request).await;
        let items: Vec<_> = self.db().read(caller, list).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }

    /// One provider.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`PROVIDERS_READ`].
    pub async fn get_provider(&self, caller: &Caller, id: ProviderId) -> Result<Provider, Error> {
        self.may_manage(caller, PROVIDERS_READ)?;
        Ok(self.provider(caller, id).await?.provider)
    }

    async fn provider(&self, caller: &Caller, id: ProviderId) -> Result<Kept, Error> {
        let seal = self.seal(caller.tenant);
        let find = async |tx: &Tx| store::providers::find(tx, &seal, id, false).await;
        let found: Option<Kept> = self.db().read(caller, find).await?;
        Ok(found.ok_or_else(Problem::not_found)?)
    }

    /// Adds a provider.
    ///
    /// # Errors
    /// [`Error::ProviderInvalid`], [`Error::AddressRefused`], [`Error::ProviderNameTaken`], or the caller lacks
    /// [`PROVIDERS_WRITE`].
    pub async fn create_provider(&self, caller: &Caller, new: NewProvider) -> Result<Provider, Error> {
        self.may_manage(caller, PROVIDERS_WRITE)?;
        let now = self.db().clock().now();
        let provider = Provider {
            id: self.db().random().id(now),
            name: new.name.clone(),
            kind: new.kind.unwrap_or(ProviderKind::OpenaiCompatible),
            base_url: new.base_url.clone(),
            has_api_key: new.api_key.is_some(),
            models: new.models.clone(),
            position: new.position.unwrap_or(0),
            first_token_timeout_ms: new.first_token_timeout_ms.unwrap_or(USUAL_TIMEOUT),
            idle_timeout_ms: new.idle_timeout_ms.unwrap_or(USUAL_TIMEOUT),
            enabled: new.enabled.unwrap_or(true),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let kept = self.parsed(Kept { provider, api_key: new.api_key.clone() })?;
        let seal = self.seal(caller.tenant);
        self.db()
            .write_once(caller, "chat.create_provider", &new, async |tx| {
                let mut kept = kept.clone();
                if store::providers::all(tx, &seal).await?.len() >= MAX_PROVIDERS {
                    return Err(Error::ProviderInvalid("name", "at most 100 providers in a tenant"));
                }
                if new.position.is_none() {
                    kept.provider.position = store::providers::last_position(tx).await? + 1;
                }
                store::providers::insert(tx, &seal, &kept).await?;
                self.provider_changed(tx, caller, "chat.provider_created", &kept.provider).await?;
                Ok(kept.provider)
            })
            .await
    }

    /// Changes a provider. A new address without a new key takes the key away: it was meant for the old one.
    ///
    /// # Errors
    /// 428 or 412 about the version, those of [`Self::create_provider`], or the 404.
    pub async fn update_provider(
        &self,
        caller: &Caller,
        id: ProviderId,
        expected: Expected,
        update: UpdateProvider,
    ) -> Result<Provider, Error> {
        self.may_manage(caller, PROVIDERS_WRITE)?;
        let expected = expected.required()?;
        let seal = self.seal(caller.tenant);
        self.db()
            .write_once(caller, "chat.update_provider", &(id, &update), async |tx| {
                let found = store::providers::find(tx, &seal, id, true).await?;
                let found = found.ok_or_else(Problem::not_found)?;
                expected.check(found.provider.version)?;
                let mut kept = self.parsed(changed(found, update.clone())?)?;
                store::providers::update(tx, &seal, &mut kept).await?;
                self.provider_changed(tx, caller, "chat.provider_updated", &kept.provider).await?;
                Ok(kept.provider)
            })
            .await
    }

    /// Removes a provider.
    ///
    /// # Errors
    /// 428 or 412 about the version, the 404, or the caller lacks [`PROVIDERS_WRITE`].
    pub async fn delete_provider(&self, caller: &Caller, id: ProviderId, expected: Expected) -> Result<(), Error> {
        self.may_manage(caller, PROVIDERS_WRITE)?;
        let expected = expected.required()?;
        let seal = self.seal(caller.tenant);
        self.db()
            .write_once(caller, "chat.delete_provider", &id, async |tx| {
                let found = store::providers::find(tx, &seal, id, true).await?;
                let found = found.ok_or_else(Problem::not_found)?;
                expected.check(found.provider.version)?;
                store::providers::delete(tx, id).await?;
                self.provider_changed(tx, caller, "chat.provider_deleted", &found.provider).await?;
                Ok(())
            })
            .await
    }

    /// Asks a provider for a few words, to see whether it answers.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`PROVIDERS_WRITE`]. That it does not answer is no error but the result.
    pub async fn test_provider(&self, caller: &Caller, id: ProviderId) -> Result<ProviderTest, Error> {
        self.may_manage(caller, PROVIDERS_WRITE)?;
        let kept = self.provider(caller, id).await?;
        let model = kept.provider.models.first().cloned().unwrap_or_default();
        let mut candidate = candidate(&kept, &model);
        candidate.first_token = candidate.first_token.min(TRIAL);
        let mut body = Map::new();
        body.insert("messages".to_owned(), json!([{ "role": "user", "content": "Say: ready." }]));
        body.insert("max_tokens".to_owned(), 16.into());
        body.insert("stream".to_owned(), true.into());
        let until = tokio::time::Instant::now() + TRIAL;
        let begun = Instant::now();
        let opened = self.upstream().once(&candidate, &Ask { body: &body, stream: true, until }).await;
        let entry = audit::Entry::success("chat.provider_tested").target("provider", id);
        audit::record(self.db(), &self.anew(caller), entry).await?;
        Ok(match opened {
            Ok(Opened::Stream(mut chunks)) => {
                let took = i64::try_from(begun.elapsed().as_millis()).ok();
                let mut text = String::new();
                while let (true, Ok(Some(part))) = (text.len() < 200, chunks.next().await) {
                    if let Part::Delta(delta) = part {
                        text.extend(delta.text.unwrap_or_default().chars().take(200));
                    }
                }
                ProviderTest { ok: true, model, first_token_ms: took, text: Some(text), reason: None }
            }
            Ok(Opened::Whole(_)) => ProviderTest { ok: true, model, first_token_ms: None, text: None, reason: None },
            Err(fault) => {
                let reason = match fault {
                    crate::upstream::Fault::Again { reason, .. } | crate::upstream::Fault::Refused(reason) => reason,
                };
                ProviderTest { ok: false, model, first_token_ms: None, text: None, reason: Some(reason) }
            }
        })
    }

    async fn provider_changed(
        &self,
        tx: &Tx,
        caller: &Caller,
        action: &'static str,
        provider: &Provider,
    ) -> Result<(), Problem> {
        let (chat, tenant) = (self.clone(), tx.tenant());
        tx.on_commit(move || drop(chat.known().entries().remove(&tenant)));
        let data = serde_json::to_value(provider).map_err(Problem::internal)?;
        announce(tx, caller, action, ("provider", provider.id.to_string()), data).await
    }

    /// The providers that are switched on, in their order.
    pub(crate) async fn enabled(&self, caller: &Caller) -> Result<Arc<[Kept]>, Problem> {
        let known = self.known().entries().get(&caller.tenant).cloned();
        if let Some((_, providers)) = known.filter(|(at, _)| at.elapsed() < TTL) {
            return Ok(providers);
        }
        let seal = self.seal(caller.tenant);
        let read = async |tx: &Tx| store::providers::all(tx, &seal).await;
        let found: Vec<Kept> = self.db().read(caller, read).await?;
        let enabled: Arc<[Kept]> = found.into_iter().filter(|kept| kept.provider.enabled).collect();
        let mut entries = self.known().entries();
        if entries.len() >= MAX_KNOWN {
            entries.clear();
        }
        entries.insert(caller.tenant, (Instant::now(), Arc::clone(&enabled)));
        Ok(enabled)
    }

    /// Whom to ask for an answer in a conversation: those that have the model, then the others with their own.
    pub(crate) async fn candidates(
        &self,
        caller: &Caller,
        provider: Option<ProviderId>,
        model: Option<&str>,
    ) -> Result<Vec<Candidate>, Error> {
        let enabled = self.enabled(caller).await?;
        let asked: Vec<&Kept> = match provider {
            None => enabled.iter().collect(),
            Some(id) => enabled.iter().filter(|kept| kept.provider.id == id).collect(),
        };
        if provider.is_some() && asked.is_empty() {
            return Err(Error::ProviderUnknown);
        }
        let Some(model) = model else {
            return Ok(asked.iter().filter_map(|kept| Some(candidate(kept, kept.provider.models.first()?))).collect());
        };
        let has = |kept: &&&Kept| kept.provider.models.iter().any(|name| name == model);
        let with: Vec<Candidate> = asked.iter().filter(has).map(|kept| candidate(kept, model)).collect();
        if with.is_empty() {
            return Err(Error::ModelUnknown(model.chars().take(200).collect()));
        }
        let without = asked.iter().filter(|kept| !has(kept));
        let others = without.filter_map(|kept| Some(candidate(kept, kept.provider.models.first()?)));
        Ok(with.into_iter().chain(others).collect())
    }

    /// Whom to ask over the OpenAI wire: only those that have the model.
    pub(crate) async fn wire_candidates(&self, caller: &Caller, model: &str) -> Result<Vec<Candidate>, Error> {
        let enabled = self.enabled(caller).await?;
        let has = |kept: &&Kept| kept.provider.models.iter().any(|name| name == model);
        Ok(enabled.iter().filter(has).map(|kept| candidate(kept, model)).collect())
    }
}

fn changed(mut kept: Kept, update: UpdateProvider) -> Result<Kept, Problem> {
    let provider = &mut kept.provider;
    let moved = update.base_url.clone().required("base_url")?.filter(|url| *url != provider.base_url);
    let key = if moved.is_some() { None } else { kept.api_key.take() };
    kept.api_key = update.api_key.or(key);
    provider.base_url = moved.unwrap_or_else(|| provider.base_url.clone());
    provider.name = update.name.required("name")?.unwrap_or_else(|| provider.name.clone());
    provider.models = update.models.required("models")?.unwrap_or_else(|| provider.models.clone());
    provider.position = update.position.required("position")?.unwrap_or(provider.position);
    let first = update.first_token_timeout_ms.required("first_token_timeout_ms")?;
    provider.first_token_timeout_ms = first.unwrap_or(provider.first_token_timeout_ms);
    let idle = update.idle_timeout_ms.required("idle_timeout_ms")?;
    provider.idle_timeout_ms = idle.unwrap_or(provider.idle_timeout_ms);
    provider.enabled = update.enabled.required("enabled")?.unwrap_or(provider.enabled);
    Ok(kept)
}
