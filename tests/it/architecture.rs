//! The rules of the house, read off `cargo metadata` and the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crate -> workspace crates that it may build on. What is absent is forbidden.
const EDGES: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("gateway", &["edge-cache", "edge-certificates", "edge-routes", "edge-upstream"]),
    ("edge-cache", &[]),
    ("edge-certificates", &[]),
    ("edge-dns", &[]),
    ("edge-routes", &[]),
    ("edge-upstream", &[]),
    ("fake-ca", &["edge-certificates"]),
    ("migration", &[]),
    ("events", &["kernel"]),
    ("jobs", &["kernel"]),
    ("audit", &["kernel", "events", "jobs"]),
    ("tenancy", &["kernel", "audit", "events", "jobs", "edge-dns"]),
    ("edge", &["kernel", "audit", "events", "edge-certificates", "gateway"]),
    ("identity", &["kernel", "audit", "events", "jobs", "tenancy"]),
    ("vault", &["kernel", "audit", "events", "jobs", "tenancy"]),
    ("knowledge", &["kernel", "audit", "events", "jobs", "tenancy", "vault"]),
    ("chat", &["kernel", "audit", "events", "jobs", "tenancy", "identity", "vault", "knowledge"]),
    ("testkit", &["kernel", "migration"]),
    ("bench-certificates", &["kernel", "edge", "edge-certificates"]),
    (
        "holdfast",
        &[
            "kernel",
            "gateway",
            "edge",
            "migration",
            "events",
            "jobs",
            "audit",
            "tenancy",
            "edge",
            "identity",
            "vault",
            "knowledge",
            "chat",
        ],
    ),
];
/// The modules.
const MODULES: &[&str] = &["events", "jobs", "audit", "tenancy", "edge", "identity", "vault", "knowledge", "chat"];
/// Word -> the only files (or folders) of a module that may say it.
const WORDS: &[(&str, &[&str])] = &[
    ("sea_orm", &["store.rs", "store", "listing.rs", "model.rs"]),
    ("poem_openapi", &["rest.rs", "rest", "model.rs", "model", "input.rs", "well_known.rs"]),
    ("async_graphql", &["graphql.rs", "graphql", "model.rs", "model", "input.rs"]),
];
/// The most lines of a file.
const MAX_LINES: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file without its comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn module_sources(module: &str) -> Vec<(String, String)> {
    let folder = root().join("modules").join(module).join("src");
    let relative = |path: &Path| path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
    let in_tests = |name: &str| name.starts_with("tests") || name.ends_with("tests.rs");
    let all = sources(&folder).into_iter().map(|path| (relative(&path), code(&path)));
    all.filter(|(name, _)| !in_tests(name)).collect()
}

#[test]
fn dependencies_point_down() {
    let output = Command::new(env!("CARGO")).args(["metadata", "--no-deps", "--format-version", "1"]).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();

    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) =
            EDGES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is unknown"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let inside = dependency["path"].is_string() && dependency["kind"].is_null();
            let on = dependency["name"].as_str().unwrap();
            assert!(!inside || allowed.contains(&on), "{name} may not build on {on}");
        }
    }
}

#[test]
fn a_module_opens_only_its_two_faces() {
    for module in MODULES {
        let lib = fs::read_to_string(root().join("modules").join(module).join("src/lib.rs")).unwrap();
        for line in lib.lines().filter(|line| line.starts_with("pub mod ")) {
            let opened = line.trim_start_matches("pub mod ").trim_end_matches(';').split_whitespace().next().unwrap();
            assert!(["rest", "graphql"].contains(&opened.trim_end_matches(';')), "{module} opens {opened}");
        }
    }
}

#[test]
fn words_stay_in_their_rooms() {
    for module in MODULES {
        for (name, text) in module_sources(module) {
            for (word, rooms) in WORDS {
                let home = rooms.iter().any(|room| name.split('/').any(|part| part == *room));
                assert!(home || !text.contains(word), "modules/{module}/src/{name} says {word}");
            }
        }
    }
}

#[test]
fn every_statement_names_only_its_own_tables() {
    for module in MODULES {
        for (name, text) in module_sources(module) {
            for other in MODULES.iter().filter(|other| *other != module) {
                for keyword in ["FROM", "INTO", "UPDATE", "JOIN", "TABLE"] {
                    let foreign = format!("{keyword} {other}_");
                    assert!(!text.contains(&foreign), "modules/{module}/src/{name} reaches into {foreign}");
                }
            }
        }
    }
}

#[test]
fn rooms_are_small() {
    let folders = ["src", "kernel", "gateway", "migration", "modules", "tests"];
    let files = folders.iter().flat_map(|folder| sources(&root().join(folder)));
    let too_long: Vec<_> = files
        .filter(|path| !path.components().any(|part| part.as_os_str() == "target"))
        .filter(|path| fs::read_to_string(path).unwrap().lines().count() > MAX_LINES)
        .collect();

    assert!(too_long.is_empty(), "longer than {MAX_LINES} lines: {too_long:?}");
}

#[test]
fn every_table_begins_with_its_module_and_none_points_into_another() {
    let migrations = root().join("migration/src");
    for module in MODULES.iter().chain(&["kernel"]) {
        let folder = migrations.join(module);
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "sql") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for keyword in ["CREATE TABLE ", "REFERENCES ", "CREATE INDEX ", "CREATE UNIQUE INDEX ", "DROP TABLE "] {
                for named in text.split(keyword).skip(1) {
                    let named = named.trim_start_matches("IF EXISTS ");
                    assert!(named.starts_with(&format!("{module}_")), "{} {keyword}{:.40}", path.display(), named);
                }
            }
        }
    }
}

#[test]
fn every_table_with_a_tenant_has_row_level_security() {
    let migrations = root().join("migration/src");
    for module in MODULES.iter().chain(&["kernel"]) {
        let folder = migrations.join(module);
        let listed = fs::read_to_string(folder.join("mod.rs")).unwrap();
        let scripts = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        for script in scripts.filter(|path| path.to_string_lossy().ends_with(".up.sql")) {
            let text = fs::read_to_string(&script).unwrap();
            let tables: BTreeSet<&str> = text
                .split("CREATE TABLE ")
                .skip(1)
                .filter(|table| table.split(';').next().is_some_and(|body| body.contains("tenant_id")))
                .filter_map(|table| table.split_whitespace().next())
                .collect();
            for table in tables {
                assert!(listed.contains(&format!("\"{table}\"")), "{table} is not among the tenant_tables of {module}");
            }
        }
    }
}
