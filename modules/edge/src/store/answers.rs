//! Answers to challenges.

use edge_certificates::{Answer, ChallengeKind, Name};
use kernel::Tx;
use sea_orm::FromQueryResult;

use super::word;
use crate::certificates::Fault;

const BY_TOKEN: &str = "SELECT key_authorization FROM edge_answer WHERE token = $1 AND kind = $2";
const BY_HOST: &str = "SELECT key_authorization FROM edge_answer WHERE host = $1 AND kind = $2";
const DROP: &str = "DELETE FROM edge_answer WHERE name = $1";
const INSERT: &str = "INSERT INTO edge_answer (name, kind, host, token, key_authorization) VALUES ($1, $2, $3, $4, $5)";

#[derive(FromQueryResult)]
struct Row {
    key_authorization: String,
}

/// The answer for this token.
pub(crate) async fn by_token(tx: &Tx, kind: ChallengeKind, token: &str) -> Result<Option<String>, Fault> {
    let row: Option<Row> = tx.one(BY_TOKEN, [token.into(), word(kind).into()]).await?;
    Ok(row.map(|row| row.key_authorization))
}

/// The answer for this host.
pub(crate) async fn by_host(tx: &Tx, kind: ChallengeKind, host: &str) -> Result<Option<String>, Fault> {
    let row: Option<Row> = tx.one(BY_HOST, [host.into(), word(kind).into()]).await?;
    Ok(row.map(|row| row.key_authorization))
}

/// These, and no others, are a name's answers.
pub(crate) async fn replace(tx: &Tx, name: &Name, answers: &[Answer]) -> Result<(), Fault> {
    tx.execute(DROP, [name.as_str().into()]).await?;
    for answer in answers {
        let values = [
            name.as_str().into(),
            word(answer.kind).into(),
            answer.host.as_str().into(),
            answer.token.as_str().into(),
            answer.key_authorization.as_str().into(),
        ];
        tx.execute(INSERT, values).await?;
    }
    Ok(())
}
