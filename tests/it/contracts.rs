//! The two committed contracts are what the binary says, and each side has what the other has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Operations on the REST side only, with the reason.
const REST_ONLY: &[(&str, &str)] = &[
    ("get_jwks", "a document for machines at a standard place (RFC 7517)"),
    ("get_server_metadata", "a document for machines at a standard place (RFC 8414)"),
    ("upload_document", "a stream of bytes"),
    ("upload_document_version", "a stream of bytes"),
    ("get_document_content", "a stream of bytes, whole or a range"),
    ("follow_knowledge_progress", "a stream; GraphQL reads the same documents as a connection"),
    ("follow_edge_requests", "a stream; GraphQL has the subscription edgeRequestEvents"),
    ("follow_answer", "a stream; GraphQL has the subscription answerEvents"),
    ("export_audit_entries", "a stream of lines; GraphQL reads the same entries as a connection"),
];
/// Fields on the GraphQL side only, with the reason.
const GRAPHQL_ONLY: &[(&str, &str)] = &[];

/// A committed contract.
pub(crate) fn contract(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("web-admin").join(name)).unwrap()
}

fn said(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast")).arg(command).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn operations() -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_str(&contract("openapi.json")).unwrap();
    let mut found = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for (method, operation) in item.as_object().unwrap() {
            found.insert((method.clone(), operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
    found
}

/// Fields of the two root types of the schema.
fn fields() -> BTreeSet<String> {
    let schema = contract("schema.graphql");
    let mut found = BTreeSet::new();
    for root in ["type Query {", "type Mutation {"] {
        let body = schema.split(root).nth(1).unwrap().split("\n}").next().unwrap();
        let names = body.lines().filter(|line| line.starts_with('\t') && !line.starts_with("\t\t"));
        for line in names.map(str::trim).filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase())) {
            found.insert(line.split(['(', ':']).next().unwrap().to_owned());
        }
    }
    found
}

/// `list_api_keys` is the query `apiKeys`, `get_api_key` the query `apiKey`, `create_api_key` the mutation.
fn twin(method: &str, operation: &str) -> String {
    let noun = match method {
        "get" => operation.trim_start_matches("list_").trim_start_matches("get_"),
        _ => operation,
    };
    let mut words = noun.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(1);
        name + &head.to_ascii_uppercase() + tail
    })
}

#[test]
fn the_committed_contracts_are_what_the_binary_says() {
    assert_eq!(said("openapi"), contract("openapi.json"), "run `make contracts` and review the diff");
    assert_eq!(said("graphql-schema"), contract("schema.graphql"), "run `make contracts` and review the diff");
}

#[test]
fn each_operation_has_a_twin_on_the_other_side() {
    let operations = operations();
    let fields = fields();
    let excused = |list: &[(&str, &str)], name: &str| list.iter().any(|(excused, _)| *excused == name);

    let twins: BTreeSet<String> = operations.iter().map(|(method, id)| twin(method, id)).collect();
    let missing: Vec<_> = operations
        .iter()
        .filter(|(method, id)| !fields.contains(&twin(method, id)) && !excused(REST_ONLY, id))
        .collect();
    let extra: Vec<_> =
        fields.iter().filter(|field| !twins.contains(*field) && !excused(GRAPHQL_ONLY, field)).collect();

    assert!(missing.is_empty(), "without a twin in GraphQL: {missing:?}");
    assert!(extra.is_empty(), "without a twin in REST: {extra:?}");
}
