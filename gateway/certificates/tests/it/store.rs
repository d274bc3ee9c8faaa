//! The store in memory keeps the contract of stores.

use std::sync::Arc;

use fake_ca::MemoryStore;

fake_ca::store_contract!(Arc::new(MemoryStore::default()));
